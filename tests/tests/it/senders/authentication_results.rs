//! Behind a server of ours: one header is believed, and forgeries of every kind are not.

use tierdesk_core::{
    customers::Slug,
    desk::Desk,
    mail::{Envelope, SenderCheck},
    receive::{Outcome, Receipt, Road},
    trust::SenderTrust,
};
use tierdesk_ingest::process::deliver;
use tierdesk_tests::{Backend, TestDesk, on_both};

on_both! {
    forgeries_bind_no_mail_to_any_tier,
    each_trust_is_reached,
    microsoft_365_is_believed_on_its_own_road_only,
}

const SERVER: &str = "mx.securebase.example";

/// A listed contact of each tier, and their customer.
const CONTACTS: [(&str, &str); 4] = [
    ("admin@startupcorp.io", "startupcorp"),
    ("john@acmefinance.com", "acme-finance"),
    ("compliance@medicorp.com", "medicorp"),
    ("security@techgov.gov", "techgov"),
];

fn desk_of(test: &TestDesk) -> Desk {
    Desk {
        authserv_id: Some(SERVER.to_owned()),
        own_address: "support@securebase.example".parse().ok(),
        ..test.desk.clone()
    }
}

async fn take(desk: &Desk, check: SenderCheck, raw: &str) -> Receipt {
    let envelope = Envelope {
        check,
        ..Envelope::default()
    };
    deliver(desk, Road::Imap, envelope, raw.as_bytes())
        .await
        .expect("any mail is taken")
}

/// Header blocks that claim to be from FROM and prove nothing, by what is tried.
const FORGERIES: [(&str, &str); 30] = [
    ("no result", "From: FROM\n"),
    (
        "another server's word",
        "Authentication-Results: mx.evil.example; PASS\nFrom: FROM\n",
    ),
    (
        "another server's above a failure",
        "Authentication-Results: mx.evil.example; PASS\nAuthentication-Results: SERVER; FAIL\nFrom: FROM\n",
    ),
    (
        "ours, forged below the true one",
        "Authentication-Results: SERVER; FAIL\nAuthentication-Results: SERVER; PASS\nFrom: FROM\n",
    ),
    (
        "ours with more behind it",
        "Authentication-Results: SERVER.evil.example; PASS\nFrom: FROM\n",
    ),
    (
        "ours in a comment",
        "Authentication-Results: mx.evil.example (SERVER); PASS\nFrom: FROM\n",
    ),
    (
        "a pass in a comment",
        "Authentication-Results: SERVER; dmarc=none (; PASS)\nFrom: FROM\n",
    ),
    (
        "a pass in a quote",
        "Authentication-Results: SERVER; dmarc=none reason=\"; PASS\"\nFrom: FROM\n",
    ),
    (
        "no server's name",
        "Authentication-Results: PASS\nFrom: FROM\n",
    ),
    (
        "a pass for another",
        "Authentication-Results: SERVER; dmarc=pass header.from=evil.example\nFrom: FROM\n",
    ),
    (
        "another's signature",
        "Authentication-Results: SERVER; dkim=pass header.d=evil.example\nFrom: FROM\n",
    ),
    (
        "another's server",
        "Authentication-Results: SERVER; spf=pass smtp.mailfrom=x@evil.example\nFrom: FROM\n",
    ),
    (
        "a relative's server",
        "Authentication-Results: SERVER; spf=pass smtp.helo=DOMAIN.evil.example\nFrom: FROM\n",
    ),
    (
        "passed and failed",
        "Authentication-Results: SERVER; PASS; FAIL\nFrom: FROM\n",
    ),
    (
        "SPF failed",
        "Authentication-Results: SERVER; spf=fail smtp.mailfrom=DOMAIN\nFrom: FROM\n",
    ),
    (
        "a broken signature",
        "Authentication-Results: SERVER; dkim=fail header.d=DOMAIN\nFrom: FROM\n",
    ),
    (
        "the original results",
        "Authentication-Results-Original: SERVER; PASS\nFrom: FROM\n",
    ),
    (
        "ARC",
        "ARC-Authentication-Results: i=1; SERVER; PASS\nFrom: FROM\n",
    ),
    (
        "a private header",
        "X-Authentication-Results: SERVER; PASS\nFrom: FROM\n",
    ),
    (
        "a header in the body",
        "From: FROM\n\nAuthentication-Results: SERVER; PASS\n",
    ),
    (
        "two From headers",
        "Authentication-Results: SERVER; PASS\nFrom: FROM\nFrom: eve@evil.example\n",
    ),
    (
        "two mailboxes",
        "Authentication-Results: SERVER; PASS\nFrom: FROM, eve@evil.example\n",
    ),
    (
        "a group",
        "Authentication-Results: SERVER; PASS\nFrom: all: FROM;\n",
    ),
    ("no From", "Authentication-Results: SERVER; PASS\n"),
    (
        "an empty From",
        "Authentication-Results: SERVER; PASS\nFrom: \n",
    ),
    (
        "the address as a name",
        "Authentication-Results: SERVER; EVIL\nFrom: \"FROM\" <eve@evil.example>\n",
    ),
    (
        "the address as a comment",
        "Authentication-Results: SERVER; EVIL\nFrom: eve@evil.example (FROM)\n",
    ),
    (
        "Sender and Reply-To",
        "Authentication-Results: SERVER; EVIL\nFrom: eve@evil.example\nSender: FROM\nReply-To: FROM\n",
    ),
    (
        "our own header",
        "Authentication-Results: SERVER; PASS\nFrom: FROM\nX-Tierdesk-Ticket: SB-1\n",
    ),
    (
        "our own, oddly written",
        "Authentication-Results: SERVER; PASS\nFrom: FROM\nx-tierdesk-trust : known\n",
    ),
];

/// A header block of [`FORGERIES`] for one address.
fn forged(head: &str, from: &str) -> String {
    let domain = from.rsplit_once('@').expect("an address").1;
    head.replace(
        "PASS",
        "dmarc=pass header.from=DOMAIN; dkim=pass header.d=DOMAIN",
    )
    .replace("FAIL", "dmarc=fail header.from=DOMAIN")
    .replace("EVIL", "dmarc=pass header.from=evil.example")
    .replace("SERVER", SERVER)
    .replace("DOMAIN", domain)
    .replace("FROM", from)
    .replace('\n', "\r\n")
}

/// Nothing of it counts as known or proven; the same sender with a true result does, in the same
/// run.
async fn forgeries_bind_no_mail_to_any_tier(backend: Backend) {
    let test = TestDesk::with_customers(backend).await;
    let desk = desk_of(&test);
    let (mut tried, mut believed, mut control) = (0, Vec::new(), 0);
    for (from, customer) in CONTACTS {
        for (what, head) in FORGERIES {
            let head = forged(head, from);
            let raw = format!(
                "{head}Subject: {what}\r\nMessage-ID: <{tried}@x.example>\r\n\r\nText {tried}\r\n"
            );
            let receipt = take(&desk, SenderCheck::Authserv, &raw).await;
            tried += 1;
            if matches!(receipt.trust, SenderTrust::Known | SenderTrust::Proven) {
                believed.push((from, what));
            }
            assert!(
                receipt.ticket.is_some(),
                "{what}: nothing is lost: {receipt:?}"
            );
        }
        let domain = from.rsplit_once('@').expect("an address").1;
        let raw = format!(
            "Authentication-Results: {SERVER}; dmarc=pass header.from={domain}\r\nFrom: {from}\r\n\
             Message-ID: <true-{customer}@x.example>\r\n\r\nTrue\r\n"
        );
        let receipt = take(&desk, SenderCheck::Authserv, &raw).await;
        assert_eq!(receipt.customer.as_ref().map(Slug::as_str), Some(customer));
        control += usize::from(receipt.trust == SenderTrust::Known);
    }
    assert_eq!(believed, [], "of {tried}");
    assert_eq!(control, CONTACTS.len(), "positive control");
    println!(
        "forged senders: {} of {tried} believed; {control} true ones known",
        believed.len()
    );
}

async fn each_trust_is_reached(backend: Backend) {
    let test = TestDesk::with_customers(backend).await;
    let desk = desk_of(&test);
    let pass = |domain: &str| {
        format!("Authentication-Results: {SERVER}; dmarc=pass header.from={domain}\r\n")
    };
    for (number, (head, from, trust, customer, outcome)) in [
        (
            pass("acmefinance.com"),
            "john@acmefinance.com",
            SenderTrust::Known,
            Some("acme-finance"),
            Outcome::Opened,
        ),
        (
            pass("acmefinance.com"),
            "ann@acmefinance.com",
            SenderTrust::Proven,
            Some("acme-finance"),
            Outcome::Opened,
        ),
        (
            pass("acmefinance.com"),
            "ann@eu.acmefinance.com",
            SenderTrust::Proven,
            Some("acme-finance"),
            Outcome::Opened,
        ),
        (
            String::new(),
            "ann@acmefinance.com",
            SenderTrust::Unproven,
            Some("acme-finance"),
            Outcome::Opened,
        ),
        (
            pass("else.example"),
            "x@else.example",
            SenderTrust::Unproven,
            None,
            Outcome::Triaged,
        ),
        (
            pass("acmefinanse.com"),
            "john@acmefinanse.com",
            SenderTrust::Contradicted,
            None,
            Outcome::Triaged,
        ),
        (
            format!("Authentication-Results: {SERVER}; dmarc=fail header.from=acmefinance.com\r\n"),
            "john@acmefinance.com",
            SenderTrust::Contradicted,
            None,
            Outcome::Triaged,
        ),
    ]
    .into_iter()
    .enumerate()
    {
        let raw =
            format!("{head}From: {from}\r\nMessage-ID: <t{number}@x.example>\r\n\r\nText\r\n");
        let receipt = take(&desk, SenderCheck::Authserv, &raw).await;
        let found = receipt.customer.as_ref().map(Slug::as_str);
        assert_eq!(
            (receipt.trust, found, receipt.outcome),
            (trust, customer, outcome),
            "{from}: {receipt:?}"
        );
        assert!(
            receipt.reasons.len() > 1 || trust == SenderTrust::Contradicted,
            "{receipt:?}"
        );
        let shown = test.ticket(receipt.ticket.expect("a ticket")).await;
        assert_eq!(shown.ticket.trust, trust, "it stands on the ticket as well");
    }
}

async fn microsoft_365_is_believed_on_its_own_road_only(backend: Backend) {
    let test = TestDesk::with_customers(backend).await;
    let desk = desk_of(&test);
    let head = "Authentication-Results: spf=pass (sender IP is 192.0.2.7) smtp.mailfrom=acmefinance.com; \
                dkim=pass (signature was verified) header.d=acmefinance.com;dmarc=pass action=none \
                header.from=acmefinance.com;compauth=pass reason=100\r\n";
    for (number, (check, before, trust)) in [
        (SenderCheck::Exchange, "", SenderTrust::Known),
        (SenderCheck::Authserv, "", SenderTrust::Unproven),
        (
            SenderCheck::Exchange,
            "Authentication-Results: mx.x.example; dmarc=none\r\n",
            SenderTrust::Unproven,
        ),
        (SenderCheck::None, "", SenderTrust::Unproven),
    ]
    .into_iter()
    .enumerate()
    {
        let raw = format!(
            "{before}{head}From: john@acmefinance.com\r\nMessage-ID: <m{number}@x.example>\r\n\r\nText\r\n"
        );
        let receipt = take(&desk, check, &raw).await;
        assert_eq!(
            receipt.trust, trust,
            "{check} after {before:?}: {receipt:?}"
        );
    }
}
