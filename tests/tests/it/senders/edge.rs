//! Where we are the mail server: SPF, DKIM and DMARC by our own check, with a DNS of the test's own.

use std::{collections::HashMap, sync::Arc, time::Duration};

use mail_auth::{
    common::{crypto::Ed25519Key, headers::HeaderWriter as _},
    dkim::DkimSigner,
};
use tierdesk_core::{
    desk::{
        Desk,
        store_arrival::{NewArrival, store_arrivals},
    },
    jobs::worker::Worker,
    mail::{Client, Envelope, SenderCheck},
    receive::{Receipt, Road},
    trust::SenderTrust,
};
use tierdesk_ingest::{
    edge_check::Resolver,
    process::{ProcessInbox, deliver},
};
use tierdesk_tests::{Backend, TestDesk};

use super::dns::{Dns, Mood};

const OURS: &str = "192.0.2.10";
const THEIRS: &str = "198.51.100.66";

/// The key that acmefinance.com signs with, and what its DNS says.
struct Signer {
    key: Vec<u8>,
    public: String,
}

impl Signer {
    fn new() -> Self {
        let key = Ed25519Key::generate_pkcs8().expect("a key can be made");
        let public = Ed25519Key::from_pkcs8_der(&key)
            .expect("it is a key")
            .public_key();
        Self {
            key,
            public: data_encoding::BASE64.encode(&public),
        }
    }

    fn records(&self, policy: Option<&str>) -> HashMap<String, String> {
        let mut records = HashMap::from([
            (
                "acmefinance.com".to_owned(),
                format!("v=spf1 ip4:{OURS} -all"),
            ),
            (
                "k1._domainkey.acmefinance.com".to_owned(),
                format!("v=DKIM1; k=ed25519; p={}", self.public),
            ),
            (
                "evil.example".to_owned(),
                format!("v=spf1 ip4:{THEIRS} -all"),
            ),
            (
                "k1._domainkey.evil.example".to_owned(),
                format!("v=DKIM1; k=ed25519; p={}", self.public),
            ),
        ]);
        if let Some(policy) = policy {
            let record = format!("v=DMARC1; p={policy}");
            records.insert("_dmarc.acmefinance.com".to_owned(), record);
        }
        records
    }

    /// The mail with a signature of `domain` over `headers` before it.
    fn signed(&self, mail: &str, domain: &str, headers: &[&str], is_open_ended: bool) -> String {
        let key = Ed25519Key::from_pkcs8_der(&self.key).expect("it is a key");
        let signature = DkimSigner::from_key(key)
            .domain(domain)
            .selector("k1")
            .headers(headers.to_vec())
            .body_length(is_open_ended)
            .sign(mail.as_bytes())
            .expect("it can be signed");
        format!("{}{mail}", signature.to_header())
    }
}

fn desk_with(test: &TestDesk, dns: &Dns) -> Desk {
    let resolver = Resolver::new(Some(dns.address), "mx.securebase.example".to_owned());
    Desk {
        edge_check: Some(Arc::new(resolver.expect("it can be asked"))),
        ..test.desk.clone()
    }
}

fn envelope(ip: &str, sender: &str) -> Envelope {
    Envelope {
        from: Some(sender.to_owned()),
        client: Some(Client {
            ip: ip.parse().expect("an address"),
            helo: "mail.example".to_owned(),
        }),
        check: SenderCheck::Edge,
        ..Envelope::default()
    }
}

async fn take(desk: &Desk, raw: &str, ip: &str, sender: &str) -> Receipt {
    deliver(desk, Road::Smtp, envelope(ip, sender), raw.as_bytes())
        .await
        .expect("any mail is taken")
}

fn mail(id: &str) -> String {
    format!(
        "From: john@acmefinance.com\r\nTo: support@securebase.example\r\nSubject: Dashboard error\r\n\
         Date: Tue, 24 Nov 2026 09:00:00 +0000\r\nMessage-ID: <{id}@acmefinance.com>\r\n\r\nIt is down.\r\n"
    )
}

const ALL: &[&str] = &["From", "To", "Subject", "Date", "Message-ID"];
const JOHN: &str = "john@acmefinance.com";

#[tokio::test]
async fn spf_dkim_and_dmarc_decide() {
    let test = TestDesk::with_customers(Backend::Sqlite).await;
    let signer = Signer::new();
    let dns = Dns::start(signer.records(Some("reject")), Mood::Answers).await;
    let desk = desk_with(&test, &dns);
    let sign =
        |id: &str, domain: &str, headers: &[&str]| signer.signed(&mail(id), domain, headers, false);
    let changed = sign("e", "acmefinance.com", ALL).replace("It is down.", "Send me the password.");
    for (what, raw, ip, sender, trust) in [
        (
            "sent by its own server",
            mail("a"),
            OURS,
            JOHN,
            SenderTrust::Known,
        ),
        (
            "signed, through a forwarder",
            sign("b", "acmefinance.com", ALL),
            THEIRS,
            "x@evil.example",
            SenderTrust::Known,
        ),
        (
            "from elsewhere, unsigned",
            mail("c"),
            THEIRS,
            JOHN,
            SenderTrust::Contradicted,
        ),
        (
            "signed by another domain",
            sign("d", "evil.example", ALL),
            THEIRS,
            "x@evil.example",
            SenderTrust::Contradicted,
        ),
        (
            "changed after signing",
            changed,
            THEIRS,
            "x@evil.example",
            SenderTrust::Contradicted,
        ),
        (
            "the subject left out of the signature",
            sign("f", "acmefinance.com", &["From", "To", "Date"]),
            THEIRS,
            "x@evil.example",
            SenderTrust::Contradicted,
        ),
        (
            "the end of the body left out",
            signer.signed(&mail("g"), "acmefinance.com", ALL, true),
            THEIRS,
            "x@evil.example",
            SenderTrust::Contradicted,
        ),
        (
            "a bounce of theirs, from elsewhere",
            mail("h"),
            THEIRS,
            "",
            SenderTrust::Contradicted,
        ),
        (
            "results that the sender wrote itself",
            format!(
                "Authentication-Results: x; dmarc=pass header.from=acmefinance.com\r\n{}",
                mail("i")
            ),
            THEIRS,
            JOHN,
            SenderTrust::Contradicted,
        ),
    ] {
        let receipt = take(&desk, &raw, ip, sender).await;
        assert_eq!(receipt.trust, trust, "{what}: {receipt:?}");
        // An empty envelope sender is a bounce's, which is recorded on no ticket.
        assert_eq!(receipt.ticket.is_some(), !sender.is_empty(), "{what}");
    }
    assert!(dns.asked() > 0, "positive control: the resolver was asked");
}

#[tokio::test]
async fn without_a_policy_only_a_pass_or_a_failure_of_spf_counts() {
    let test = TestDesk::with_customers(Backend::Sqlite).await;
    let signer = Signer::new();
    let dns = Dns::start(signer.records(None), Mood::Answers).await;
    let desk = desk_with(&test, &dns);
    for (raw, ip, sender, trust) in [
        (mail("a"), OURS, JOHN, SenderTrust::Known),
        (mail("b"), THEIRS, JOHN, SenderTrust::Contradicted),
        (mail("c"), THEIRS, "x@evil.example", SenderTrust::Unproven),
    ] {
        let receipt = take(&desk, &raw, ip, sender).await;
        assert_eq!(receipt.trust, trust, "{receipt:?}");
    }
}

/// A mail waits for no resolver for long, and is not held for proven meanwhile.
#[tokio::test]
async fn a_resolver_that_is_away_proves_nothing_and_loses_nothing() {
    let test = TestDesk::with_customers(Backend::Sqlite).await;
    let signer = Signer::new();
    for (number, mood) in [Mood::Fails, Mood::Silent].into_iter().enumerate() {
        let dns = Dns::start(signer.records(Some("reject")), mood).await;
        let desk = desk_with(&test, &dns);
        let raw = mail(&format!("n{number}"));
        let taken = take(&desk, &raw, OURS, JOHN);
        let receipt = tokio::time::timeout(Duration::from_secs(40), taken).await;
        let receipt = receipt.expect("it comes to an end");
        assert_eq!(
            receipt.trust,
            SenderTrust::Unproven,
            "{mood:?}: {receipt:?}"
        );
        assert!(dns.asked() > 0, "{mood:?}: it was asked");
        let told = receipt
            .reasons
            .iter()
            .any(|reason| reason.contains("temperror"));
        assert!(told, "{mood:?}: {receipt:?}");
    }
}

/// Mails that a worker takes together ask together: six that wait for a silent resolver take as long as
/// one, and not the minute after which their job would be another worker's.
#[tokio::test]
async fn mails_that_are_taken_together_wait_together() {
    let test = TestDesk::with_customers(Backend::Sqlite).await;
    let signer = Signer::new();
    let dns = Dns::start(signer.records(Some("reject")), Mood::Silent).await;
    let desk = Arc::new(desk_with(&test, &dns));
    let arrivals: Vec<NewArrival> = (0..6)
        .map(|number| {
            let raw = mail(&format!("together{number}"));
            NewArrival::new(Road::Smtp, None, envelope(OURS, JOHN), raw.as_bytes(), None)
        })
        .collect();
    let stored = store_arrivals(&desk, &arrivals).await;
    assert!(stored.iter().all(Result::is_ok), "{stored:?}");
    let handler = Arc::new(ProcessInbox {
        desk: Arc::clone(&desk),
    });
    let worker = Worker::new(desk.database.clone(), "worker", vec![handler]);
    let drained = tokio::time::timeout(Duration::from_secs(40), worker.drain()).await;
    drained
        .expect("it comes to an end")
        .expect("the queue is read");
    let tickets: Vec<(i64,)> = test.look("SELECT number FROM tickets").await;
    assert_eq!(tickets.len(), 6);
    assert!(dns.asked() >= 6, "positive control: it was asked for each");
}
