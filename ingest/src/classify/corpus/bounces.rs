//! Bounces, most of them without a report.

pub(super) struct Case {
    pub(super) name: &'static str,
    pub(super) recipients: &'static [&'static str],
    pub(super) is_permanent: bool,
    pub(super) original_id: Option<&'static str>,
    pub(super) raw: &'static str,
}

const ID: Option<&str> = Some("t1.k9@securebase.example");

pub(super) const ALL: &[Case] = &[
    Case {
        name: "qmail",
        recipients: &["bob@acme.example"],
        is_permanent: true,
        original_id: ID,
        raw: "Return-Path: <>\nFrom: MAILER-DAEMON@mx.acme.example\nTo: support@securebase.example\nSubject: failure notice\n\n\
Hi. This is the qmail-send program at mx.acme.example.\nI'm afraid I wasn't able to deliver your message to the following addresses.\n\
This is a permanent error; I've given up. Sorry it didn't work out.\n\n<bob@acme.example>:\nSorry, no mailbox here by that name. (#5.1.1)\n\n\
--- Below this line is a copy of the message.\n\nReturn-Path: <support@securebase.example>\nReceived: (qmail 812 invoked)\n\
Message-ID: <t1.k9@securebase.example>\nFrom: support@securebase.example\nTo: bob@acme.example\nSubject: Ticket\n\nWords that will be retried.\n",
    },
    Case {
        name: "qmail, two addresses, no null path",
        recipients: &["bob@acme.example", "eve@acme.example"],
        is_permanent: true,
        original_id: ID,
        raw: "From: MAILER-DAEMON@mx.acme.example\nTo: support@securebase.example\nSubject: failure notice\n\n\
Hi. This is the qmail-send program at mx.acme.example.\nI'm afraid I wasn't able to deliver your message to the following addresses.\n\n\
<bob@acme.example>:\nUser is over quota. (#5.2.2)\n\n<eve@acme.example>:\n192.0.2.7 does not like recipient.\nRemote host said: 550 no such user\n\
Giving up on 192.0.2.7.\n\n--- Below this line is a copy of the message.\n\nReceived: from x\nMessage-ID:\n <t1.k9@securebase.example>\n\nHello\n",
    },
    Case {
        name: "Exim",
        recipients: &["bob@acme.example"],
        is_permanent: true,
        original_id: ID,
        raw: "Return-path: <>\nX-Failed-Recipients: bob@acme.example\nAuto-Submitted: auto-replied\n\
From: Mail Delivery System <Mailer-Daemon@mx.acme.example>\nTo: support@securebase.example\nSubject: Mail delivery failed: returning message to sender\n\n\
This message was created automatically by mail delivery software.\n\nA message that you sent could not be delivered to one or more of its\n\
recipients. This is a permanent error. The following address(es) failed:\n\n  bob@acme.example\n    host mx2.acme.example [192.0.2.9]\n    SMTP error from remote mail server after RCPT TO:<bob@acme.example>:\n\
    550 5.1.1 unknown\n\n------ This is a copy of the message, including all the headers. ------\n\nReturn-path: <support@securebase.example>\n\
Received: from app by mx\nMessage-ID: <t1.k9@securebase.example>\nSubject: Ticket\n\nText\n",
    },
    Case {
        name: "Exim, delayed",
        recipients: &["bob@acme.example"],
        is_permanent: false,
        original_id: Some("t2@securebase.example"),
        raw: "Return-path: <>\nAuto-Submitted: auto-replied\nReferences: <t2@securebase.example>\nFrom: Mail Delivery System <Mailer-Daemon@mx.acme.example>\n\
To: support@securebase.example\nSubject: Warning: message 1tX-0001 delayed 24 hours\n\n\
This message was created automatically by mail delivery software.\nA message that you sent has not yet been delivered to one or more of its\n\
recipients after more than 24 hours on the queue on mx.acme.example.\n\nThe address to which the message has not yet been delivered is:\n\n  bob@acme.example\n    Delay reason: 451 4.7.1 greylisted\n\n\
No action is required on your part. Delivery attempts will continue for\nsome time.\n",
    },
    Case {
        name: "Postfix before it wrote reports",
        recipients: &["bob@acme.example"],
        is_permanent: true,
        original_id: ID,
        raw: "From: MAILER-DAEMON@mx.acme.example (Mail Delivery System)\nTo: support@securebase.example\nSubject: Undelivered Mail Returned to Sender\n\n\
This is the Postfix program at host mx.acme.example.\n\nI'm sorry to have to inform you that the message returned\nbelow could not be delivered to one or more destinations.\n\n\
\t\t\tThe Postfix program\n\n<bob@acme.example>: host mx2.acme.example[192.0.2.3] said: 550\n    <bob@acme.example>: User unknown (in reply to RCPT TO command)\n\n\
----- Undelivered message -----\nReceived: by mx.acme.example (Postfix)\nMessage-Id: <t1.k9@securebase.example>\nTo: bob@acme.example\n\nText\n",
    },
    Case {
        name: "Postfix with a report",
        recipients: &["bob@acme.example"],
        is_permanent: true,
        original_id: ID,
        raw: "From: MAILER-DAEMON@mx.acme.example (Mail Delivery System)\nSubject: Undelivered Mail Returned to Sender\nAuto-Submitted: auto-replied\n\
Content-Type: multipart/report; report-type=delivery-status; boundary=b\n\n--b\n\nThis is the mail system at host mx.acme.example.\n--b\nContent-Type: message/delivery-status\n\n\
Reporting-MTA: dns; mx.acme.example\n\nFinal-Recipient: rfc822; bob@acme.example\nAction: failed\nStatus: 5.1.1\n--b\nContent-Type: message/rfc822\n\nMessage-ID: <t1.k9@securebase.example>\n\nText\n--b--\n",
    },
    Case {
        name: "Postfix, delayed",
        recipients: &["bob@acme.example"],
        is_permanent: false,
        original_id: ID,
        raw: "From: MAILER-DAEMON@mx.acme.example (Mail Delivery System)\nSubject: Delayed Mail (still being retried)\n\
Content-Type: multipart/report; report-type=delivery-status; boundary=b\n\n--b\n\nYOU DO NOT NEED TO RESEND YOUR MESSAGE.\n--b\nContent-Type: message/delivery-status\n\n\
Reporting-MTA: dns; mx.acme.example\n\nFinal-Recipient: rfc822; bob@acme.example\nAction: delayed\nStatus: 4.4.1\n--b\nContent-Type: text/rfc822-headers\n\nMessage-ID: <t1.k9@securebase.example>\n--b--\n",
    },
    Case {
        name: "sendmail before it wrote reports",
        recipients: &["bob@acme.example"],
        is_permanent: true,
        original_id: ID,
        raw: "From: Mail Delivery Subsystem <MAILER-DAEMON@mx.acme.example>\nTo: support@securebase.example\nSubject: Returned mail: User unknown\n\n\
The original message was received at Mon, 23 Nov 2026 10:00:00 +0100\nfrom app.securebase.example [192.0.2.5]\n\n   ----- The following addresses had permanent fatal errors -----\n<bob@acme.example>\n\n\
   ----- Transcript of session follows -----\n... while talking to mx2.acme.example.:\n>>> RCPT To:<bob@acme.example>\n<<< 550 <bob@acme.example>... User unknown\n\n\
   ----- Original message follows -----\nReturn-Path: <support@securebase.example>\nMessage-Id: <t1.k9@securebase.example>\nTo: bob@acme.example\n\nText\n",
    },
    Case {
        name: "sendmail, delayed",
        recipients: &["bob@acme.example"],
        is_permanent: false,
        original_id: None,
        raw: "From: Mail Delivery Subsystem <MAILER-DAEMON@mx.acme.example>\nTo: support@securebase.example\nSubject: Warning: could not send message for past 4 hours\n\n\
    **********************************************\n    **      THIS IS A WARNING MESSAGE ONLY      **\n    **  YOU DO NOT NEED TO RESEND YOUR MESSAGE  **\n    **********************************************\n\n\
The original message was received at Mon, 23 Nov 2026 10:00:00 +0100\n\n   ----- Transcript of session follows -----\n<bob@acme.example>... Deferred: Connection timed out with mx2.acme.example.\nWarning: message still undelivered after 4 hours\nWill keep trying until message is 5 days old\n",
    },
    Case {
        name: "Microsoft 365, without its report",
        recipients: &["bob@acme.example"],
        is_permanent: true,
        original_id: ID,
        raw: "From: <postmaster@acme.onmicrosoft.example>\nTo: support@securebase.example\nSubject: Undeliverable: Ticket SB-12\nContent-Type: text/html; charset=utf-8\n\n\
<html><body><p>Your message to <a href=\"mailto:bob@acme.example\">bob@acme.example</a> couldn't be delivered.</p><p><b>bob</b> wasn't found at <b>acme.example</b>.</p>\
<p>Diagnostic information for administrators:</p><p>Generating server: x.prod.example</p><p>bob@acme.example<br>Remote server returned '550 5.1.10 RESOLVER.ADR.RecipientNotFound; not found'</p>\
<p>Original message headers:</p><pre>Received: from a.example by b.example\nFrom: support@securebase.example\nMessage-ID: &lt;t1.k9@securebase.example&gt;\nMIME-Version: 1.0\n</pre></body></html>",
    },
    Case {
        name: "Exchange on its own ground",
        recipients: &["bob@acme.example"],
        is_permanent: true,
        original_id: None,
        raw: "From: Microsoft Outlook <MicrosoftExchange329e71ec88ae4615bbc36ab6ce41109e@acme.example>\nTo: support@securebase.example\nSubject: Undeliverable: Ticket\n\n\
Delivery has failed to these recipients or groups:\n\nBob B (bob@acme.example)\nThe e-mail address you entered couldn't be found.\n\nDiagnostic information for administrators:\n\nGenerating server: ex.acme.example\n\nbob@acme.example\n#550 5.1.1 RESOLVER.ADR.RecipNotFound; not found ##\n",
    },
    Case {
        name: "an early Exchange",
        recipients: &["bob@acme.example"],
        is_permanent: true,
        original_id: None,
        raw: "From: System Administrator <postmaster@acme.example>\nTo: support@securebase.example\nSubject: Undeliverable: Ticket\n\n\
Your message\n\n  To:      bob@acme.example\n  Subject: Ticket\n  Sent:    Mon, 23 Nov 2026\n\ndid not reach the following recipient(s):\n\nbob@acme.example on Mon, 23 Nov 2026\n    The recipient name is not recognized\n    550 5.1.1 User unknown\n",
    },
    Case {
        name: "Gmail, without its report",
        recipients: &["bob@acme.example"],
        is_permanent: true,
        original_id: ID,
        raw: "From: Mail Delivery Subsystem <mailer-daemon@googlemail.example>\nTo: support@securebase.example\nIn-Reply-To: <t1.k9@securebase.example>\nReferences: <t1.k9@securebase.example>\nAuto-Submitted: auto-replied\n\
Subject: Delivery Status Notification (Failure)\n\n** Address not found **\n\nYour message wasn't delivered to bob@acme.example because the address couldn't be found, or is unable to receive mail.\n\nThe response from the remote server was:\n550 5.1.1 The account does not exist.\n",
    },
    Case {
        name: "Gmail, delayed",
        recipients: &["bob@acme.example"],
        is_permanent: false,
        original_id: ID,
        raw: "From: Mail Delivery Subsystem <mailer-daemon@googlemail.example>\nTo: support@securebase.example\nIn-Reply-To: <t1.k9@securebase.example>\n\
Subject: Delivery Status Notification (Delay)\n\n** Delivery incomplete **\n\nThere was a temporary problem delivering your message to bob@acme.example. Gmail will retry for 47 more hours.\n\nThe response was:\nDNS type 'mx' lookup of acme.example responded with code SERVFAIL\n",
    },
    Case {
        name: "an old server without MIME",
        recipients: &["bob@acme.example"],
        is_permanent: true,
        original_id: ID,
        raw: "From: Postmaster <postmaster@acme.example>\nTo: support@securebase.example\nSubject: Undeliverable mail\n\n\
User unknown: bob@acme.example\n\nYour message follows:\n\nFrom: support@securebase.example\nMessage-ID: <t1.k9@securebase.example>\n\nText\n",
    },
    Case {
        name: "Domino",
        recipients: &["bob@acme.example"],
        is_permanent: true,
        original_id: None,
        raw: "From: Postmaster@acme.example\nTo: support@securebase.example\nSubject: DELIVERY FAILURE: User bob (bob@acme.example) not listed in Domino Directory\n\n\
Your message\n\n  Subject: Ticket\n\nwas not delivered to:\n\n  bob@acme.example\n\nbecause:\n\n  550 User bob not listed in Domino Directory\n",
    },
    Case {
        name: "Yahoo",
        recipients: &["bob@acme.example"],
        is_permanent: true,
        original_id: ID,
        raw: "From: MAILER-DAEMON@yahoo.example\nTo: support@securebase.example\nSubject: Failure Notice\n\nSorry, we were unable to deliver your message to the following address.\n\n<bob@acme.example>:\n554: 30: Sorry, the mailbox is disabled\n\n--- Forwarded message follows ---\n\nMessage-ID: <t1.k9@securebase.example>\nSubject: Ticket\n",
    },
    Case {
        name: "only the header of failed recipients",
        recipients: &["bob@acme.example", "eve@acme.example"],
        is_permanent: true,
        original_id: None,
        raw: "From: robot@mx.acme.example\nTo: support@securebase.example\nX-Failed-Recipients: bob@acme.example, eve@acme.example\nSubject: Mail failure\n\nSorry.\n",
    },
    Case {
        name: "German",
        recipients: &["bob@acme.example"],
        is_permanent: true,
        original_id: None,
        raw: "Return-Path: <>\nFrom: Mail Delivery System <mailer-daemon@mx.acme.example>\nTo: support@securebase.example\nSubject: Unzustellbar: Ticket\nContent-Type: text/plain; charset=utf-8\n\nIhre Nachricht konnte nicht zugestellt werden:\n\n<bob@acme.example>: 550 5.1.1 Empfänger unbekannt\n",
    },
    Case {
        name: "a delivery given up after days",
        recipients: &["bob@acme.example"],
        is_permanent: true,
        original_id: None,
        raw: "From: MAILER-DAEMON@mx.acme.example\nTo: support@securebase.example\nSubject: Mail delivery failed\n\nDelivery to the following recipient failed after we had kept trying:\n\n  bob@acme.example\n    451 4.4.1 no answer, retry timeout exceeded\n",
    },
    Case {
        name: "a subject of ours that speaks of delay",
        recipients: &["bob@acme.example"],
        is_permanent: true,
        original_id: None,
        raw: "From: MAILER-DAEMON@mx.acme.example\nTo: support@securebase.example\nSubject: Undeliverable: Shipment is late\n\nUnable to deliver message to <bob@acme.example>: 554 5.7.1 refused\n",
    },
];
