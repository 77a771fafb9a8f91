//! People's mails that have something of a machine's: a subject, a header, a quoted bounce. Headers and
//! text.

pub(super) const ALL: &[(&str, &str)] = &[
    (
        "From: postmaster@acme.example\nSubject: Delivery failure to your support address",
        "Hello,\n\nyour message to our ticket system bounces, 550 5.7.1 rejected. Please fix your SPF.\n\nAnn",
    ),
    (
        "From: noreply@acme.example\nSubject: Undelivered mail alert on cluster",
        "We're sorry to bother you: the relay answers 550 5.4.1 since noon. HELP",
    ),
    ("Subject: Out of office printer is on fire", "Please help."),
    (
        "Subject: Automatic reply: is broken",
        "Our rule answers twice.",
    ),
    (
        "Subject: Automatic reply: is broken\nX-Auto-Response-Suppress: DR, OOF, AutoReply",
        "See above.",
    ),
    ("Subject: AUTO: engine does not start", "In the car park."),
    ("Subject: Abwesenheitsnotiz einrichten", "Wie geht das?"),
    (
        "Subject: away from my mail",
        "I am away from my mail and need a new password.",
    ),
    (
        "Subject: Vacation: who is on duty?",
        "Asking for next week.",
    ),
    (
        "Subject: Out of office message cannot be set\nAuto-Submitted: no",
        "It fails.",
    ),
    ("Subject: 自动回复 does not work", "Since today."),
    (
        "Subject: AUTO: backup failed again\nX-Mailer: Lotus Notes",
        "I looked at it myself.",
    ),
    (
        "Subject: Minutes\nX-MIMETrack: Itemize by Notes Client on Ann",
        "As agreed.",
    ),
    (
        "Subject: Fwd: Undeliverable: Invoice 12",
        "What is this?\n\n---------- Forwarded message ---------\nFrom: Mail Delivery System <MAILER-DAEMON@mx.example>\nSubject: Undeliverable: Invoice 12\n\nThis message was created automatically by mail delivery software.\n  bob@acme.example\n    550 5.1.1 unknown",
    ),
    (
        "Subject: WG: Unzustellbar",
        "Können Sie das ansehen?\n\nVon: postmaster@acme.example\nBetreff: Unzustellbar\n\n<bob@acme.example>: 550 5.1.1",
    ),
    (
        "Subject: Delivery failure",
        "Hi,\n\nwe get this since the morning:\n\nHi. This is the qmail-send program at mx.\n<bob@acme.example>:\nSorry (#5.1.1)\n\n--- Below this line is a copy of the message.",
    ),
    (
        "Subject: Mail delivery failed: returning message to sender",
        "This is what I get when I write to bob@acme.example. 550 User unknown. Why?",
    ),
    (
        "Subject: Undeliverable goods",
        "The parcel came back: 550 kg were too heavy.",
    ),
    (
        "Subject: Returned mail",
        "The letter we sent you came back with the post.",
    ),
    (
        "Subject: failure notice from the bank",
        "They say the payment failed.",
    ),
    (
        "Subject: Re: Undelivered Mail Returned to Sender",
        "> This is the mail system at host mx\n> 550 5.1.1\n\nStill so.",
    ),
    (
        "From: Paul Postmaster <postmaster@acme.example>\nSubject: Re: Undeliverable mail",
        "Your server refuses ours: 550 5.7.1. Please look.",
    ),
    (
        "From: Paul <postmaster@acme.example>\nSubject: Delivery failure to your domain",
        "Hello, since Monday our mails to you come back with\n550 5.7.1 refused\nPaul",
    ),
    (
        "From: postmaster@acme.example\nSubject: Mail delivery failed for your newsletter",
        "Hello,\n\nplease take bob@acme.example from your list, he has left: 550 5.1.1 User unknown.",
    ),
    (
        "From: MAILER-DAEMON fan <daemon@acme.example>\nSubject: Undeliverable",
        "My nick name is fun, the error is not.",
    ),
    (
        "From: noreply@acme.example\nSubject: Question from the web form",
        "My disk is full. Code 550 5.1.1 on screen.",
    ),
    (
        "Subject: Please remove me from the list\nX-List: none",
        "Unsubscribe me.",
    ),
    (
        "Subject: List-Id header is missing",
        "List-Id: x\nList-Unsubscribe: <y>\nPrecedence: bulk",
    ),
    ("Subject: Hello\nPrecedence: normal", "An ordinary mail."),
    (
        "Subject: Urgent\nPrecedence: first-class\nImportance: high",
        "It is down.",
    ),
    (
        "Subject: Accepted: Call on Tuesday\nContent-Type: text/calendar; method=REPLY",
        "BEGIN:VCALENDAR\nMETHOD:REPLY\nBEGIN:VEVENT\nSUMMARY:Call\nEND:VEVENT",
    ),
    (
        "Subject: Canceled: Call\nX-Auto-Response-Suppress: DR, RN",
        "Sorry, another day.",
    ),
    ("Subject: Test\nX-Autoreply: no", "One two."),
    ("Subject: Test\nAuto-Submitted: no", "One two."),
    (
        "Subject: Read: this at once\nDisposition-Notification-To: ann@acme.example",
        "It is down.",
    ),
    (
        "Subject: Warning: message delayed for hours",
        "Our mails to you take hours, please look at it.",
    ),
    (
        "Subject: Delivery Status Notification (Failure)?",
        "I see this when I write to your sales team: 550 5.1.1. What did I do?",
    ),
    (
        "Subject: Request\nX-Mailer: Zendesk is what we use\nReply-To: ann@acme.example",
        "Can we connect it?",
    ),
    (
        "Subject: 4.4.1 and 5.1.1 are out\nReturn-Path: <ann@acme.example>",
        "Which version do you support?",
    ),
    (
        "Subject: Ticket received?\nX-Auto-Response-Suppress: None",
        "I have had no answer.",
    ),
    (
        "Subject: Re: Ticket\nIn-Reply-To: <t1@securebase.example>\nReferences: <t1@securebase.example>",
        "Thank you, it works.",
    ),
];
