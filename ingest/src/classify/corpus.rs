//! Mail in the forms that common systems send, and people's mail that looks like it. The texts are
//! ours; the phrases that the systems are known by are theirs.

mod bounces;
mod machines;
mod people;

use tierdesk_core::mail::{AutoKind, Envelope, Mail};

use crate::parse::parse;

fn read(raw: &str) -> Mail {
    parse(raw.as_bytes(), &Envelope::default())
}

fn kinds() -> impl Iterator<Item = (&'static str, AutoKind, String)> {
    let bounces = bounces::ALL
        .iter()
        .map(|bounce| (bounce.name, AutoKind::Bounce, bounce.raw.to_owned()));
    let machines = machines::ALL.iter().map(|(name, kind, headers)| {
        let raw = format!("From: Ann Example <ann@acme.example>\nTo: support@securebase.example\n{headers}\n\nThank you for your mail.\n");
        (*name, *kind, raw)
    });
    bounces.chain(machines)
}

fn people() -> impl Iterator<Item = (&'static str, String)> {
    people::ALL.iter().map(|(headers, text)| {
        let from = if headers.contains("From: ") {
            ""
        } else {
            "From: Ann Example <ann@acme.example>\n"
        };
        (
            *headers,
            format!("{from}To: support@securebase.example\n{headers}\n\n{text}\n"),
        )
    })
}

#[test]
#[expect(clippy::print_stderr, reason = "the figures are what this test is for")]
fn machines_are_told_from_people() {
    let (mut all, mut wrong) = (0, Vec::new());
    for (name, kind, raw) in kinds() {
        all += 1;
        let found = read(&raw).auto;
        if found.kind != kind {
            wrong.push(format!("{name}: {found:?} in place of {kind:?}"));
        }
    }
    let (mut persons, mut taken) = (0, Vec::new());
    for (headers, raw) in people() {
        persons += 1;
        let mail = read(&raw);
        if mail.auto.kind != AutoKind::None || mail.bounce.is_some() {
            taken.push(format!("{headers}: {:?}", mail.auto));
        }
    }
    eprintln!(
        "{} of {all} kinds right, {} of {persons} people's mails taken for a machine's",
        all - wrong.len(),
        taken.len()
    );
    assert!(
        wrong.is_empty() && taken.is_empty(),
        "{wrong:#?} {taken:#?}"
    );
    assert!(all >= 60 && persons >= 30);
}

#[test]
#[expect(clippy::print_stderr, reason = "the figures are what this test is for")]
fn bounces_say_whom_they_did_not_reach_and_what_came_back() {
    let (mut right, mut wrong) = (0, Vec::new());
    for case in bounces::ALL {
        let bounce = read(case.raw).bounce.unwrap_or_default();
        let found = (
            bounce
                .recipients
                .iter()
                .map(String::as_str)
                .collect::<Vec<_>>(),
            bounce.is_permanent,
            bounce.original_id.as_deref(),
        );
        let expected = (
            case.recipients.to_vec(),
            case.is_permanent,
            case.original_id,
        );
        if found == expected {
            right += 1;
        } else {
            wrong.push(format!("{}: {found:?} in place of {expected:?}", case.name));
        }
    }
    eprintln!("{right} of {} bounces read", bounces::ALL.len());
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// What makes a bounce is what its server wrote: the same words from a person are a person's.
#[test]
#[expect(clippy::print_stderr, reason = "the figures are what this test is for")]
fn a_bounce_that_a_person_sends_on_is_a_persons() {
    let (mut asked, mut taken) = (0, Vec::new());
    for case in bounces::ALL {
        let text = read(case.raw).text;
        for (subject, lead) in [
            ("Fwd: Undeliverable mail", "What does this mean?\n\n"),
            ("Delivery failure", "Since today we get this:\n\n"),
            ("Undelivered Mail Returned to Sender", ""),
        ] {
            asked += 1;
            let raw = format!(
                "From: Ann <ann@acme.example>\nSubject: {subject}\nContent-Type: text/plain; charset=utf-8\n\n{lead}{text}"
            );
            let mail = read(&raw);
            if mail.auto.kind != AutoKind::None || mail.bounce.is_some() {
                taken.push(format!("{} under {subject}", case.name));
            }
        }
    }
    eprintln!(
        "{} of {asked} bounces that people sent on taken for bounces",
        taken.len()
    );
    assert!(taken.is_empty() && asked > 0, "{taken:#?}");
}
