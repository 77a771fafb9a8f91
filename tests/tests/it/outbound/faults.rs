//! What becomes of a letter when something fails, and what staff see: the table of docs/mail-out.md, as this
//! test prints it.

use std::{sync::Arc, time::Duration};

use tierdesk_core::{
    clock::Timestamp,
    desk::jobs,
    ids::JobId,
    jobs::worker::{Tick, Worker},
    outgoing::OutgoingState,
    tickets::{Delivery, Direction, Status, TicketNumber},
};
use tierdesk_outbound::relay::Smtp;
use tierdesk_tests::{
    Backend, address_of_its_own,
    fake_smtp::{FakeSmtp, Fault, Step},
    on_both, owner,
};

use super::{Office, only, smtp, smtp_at};

on_both! {
    every_fault_has_its_row,
    a_letter_that_nobody_takes_is_given_up_after_days,
}

/// What a fault is to mean for the letter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fate {
    /// It leaves all the same.
    Taken,
    /// It is tried again; the relay did not have it.
    Later,
    /// It is tried again, and may have arrived.
    Unknown,
    /// It failed for good.
    Never,
}

/// One row of the table.
struct Case {
    name: String,
    /// Prepares the server.
    set: Box<dyn Fn(&FakeSmtp)>,
    fate: Fate,
    /// What the words that are shown must contain.
    says: &'static str,
    /// Copies at the relay once everything is over.
    copies: usize,
}

fn case(name: &str, set: impl Fn(&FakeSmtp) + 'static, fate: Fate, says: &'static str) -> Case {
    Case {
        name: name.to_owned(),
        set: Box::new(set),
        fate,
        says,
        copies: 1,
    }
}

fn fails(step: Step, fault: Fault) -> impl Fn(&FakeSmtp) {
    move |server| server.fail(step, fault.clone(), usize::MAX)
}

/// Refusals: the same codes mean what they mean by their step.
const REFUSALS: &[(Step, &str, Fate)] = &[
    (Step::Greeting, "421 4.3.2 too busy", Fate::Later),
    (Step::Greeting, "554 5.7.1 not you", Fate::Later),
    (Step::Hello, "451 4.3.0 wait", Fate::Later),
    (Step::Hello, "550 5.7.1 bad name", Fate::Later),
    (Step::Starttls, "454 4.7.0 no TLS now", Fate::Later),
    (Step::Starttls, "554 5.7.3 no TLS", Fate::Later),
    (Step::LogIn, "454 4.7.0 later", Fate::Later),
    (Step::LogIn, "535 5.7.8 bad password", Fate::Later),
    (Step::Sender, "421 4.4.5 too many", Fate::Later),
    (Step::Sender, "452 4.3.1 disk full", Fate::Later),
    (Step::Sender, "530 5.7.0 log in first", Fate::Later),
    (Step::Sender, "550 5.7.1 not your address", Fate::Never),
    (Step::Recipient, "450 4.2.0 greylisted", Fate::Later),
    (Step::Recipient, "550 5.1.1 no such user", Fate::Never),
    (Step::Data, "451 4.3.0 wait", Fate::Later),
    (Step::Data, "554 5.5.1 no valid recipients", Fate::Never),
    (Step::Data, "250 sure", Fate::Later),
    (Step::Text, "421 4.3.0 shutting down", Fate::Later),
    (Step::Text, "452 4.2.2 mailbox full", Fate::Later),
    (Step::Text, "554 5.7.1 looks like spam", Fate::Never),
];

fn refusals() -> impl Iterator<Item = Case> {
    REFUSALS.iter().map(|(step, line, fate)| {
        let at = match step {
            Step::Greeting => "as greeting",
            Step::Hello => "to EHLO",
            Step::Starttls => "to STARTTLS",
            Step::LogIn => "to the login",
            Step::Sender => "to MAIL",
            Step::Recipient => "to RCPT",
            Step::Data => "to DATA",
            Step::Text => "after the text",
        };
        let set = move |server: &FakeSmtp| {
            if *step == Step::LogIn {
                server.state().mechanisms = vec!["PLAIN".to_owned()];
            }
            server.fail(*step, Fault::say(line), usize::MAX);
        };
        case(&format!("{} {at}", &line[..3]), set, *fate, line)
    })
}

/// Silence and broken connections at each step.
fn cuts() -> Vec<Case> {
    use Fate::{Later, Unknown};
    let mut cases = Vec::new();
    for (step, silent, closed) in [
        (
            Step::Greeting,
            "half-open: it accepts, and says nothing",
            "closed at once",
        ),
        (Step::Hello, "silence at EHLO", "closed at EHLO"),
        (Step::Starttls, "silence at STARTTLS", "closed at STARTTLS"),
        (Step::Sender, "silence at MAIL", "closed at MAIL"),
        (Step::Recipient, "silence at RCPT", "closed at RCPT"),
        (Step::Data, "silence at DATA", "closed at DATA"),
        (
            Step::Text,
            "silence after the text, mail not kept",
            "closed after the text, mail not kept",
        ),
    ] {
        let fate = if step == Step::Text { Unknown } else { Later };
        cases.push(case(
            silent,
            fails(step, Fault::Silence),
            fate,
            "no answer within",
        ));
        cases.push(case(
            closed,
            fails(step, Fault::Close),
            fate,
            "the connection is gone",
        ));
    }
    for (name, fault, words) in [
        (
            "silence after the text, mail kept",
            Fault::KeepInSilence,
            "no answer within",
        ),
        (
            "closed after the text, mail kept",
            Fault::KeepAndClose,
            "the connection is gone",
        ),
    ] {
        let mut doubled = case(name, fails(Step::Text, fault), Unknown, words);
        doubled.copies = 2;
        cases.push(doubled);
    }
    cases
}

/// TLS that fails.
fn insecure() -> Vec<Case> {
    let slipped = Fault::Say(b"220 go\r\n250 all yours\r\n".to_vec());
    vec![
        case(
            "STARTTLS not offered",
            |server| server.state().has_starttls = false,
            Fate::Later,
            "it offers no STARTTLS",
        ),
        case(
            "words slipped in before TLS",
            fails(Step::Starttls, slipped),
            Fate::Later,
            "more was said before it than asked",
        ),
        case(
            "TLS broken",
            fails(Step::Starttls, Fault::Garble),
            Fate::Later,
            "TLS failed",
        ),
    ]
}

/// Answers that are hard to read.
fn answers() -> Vec<Case> {
    let drip = Fault::Drip(Duration::from_millis(150));
    let no_smtp = Fault::say("HTTP/1.1 400");
    let lines = Fault::say("250-2.0.0 Ok\r\n250-it is\r\n250 queued as 1A2B");
    let eight_bit = Fault::Say(b"250 2.0.0 Angenommen f\xfcr sp\xe4ter\r\n".to_vec());
    let early = Fault::SayAndClose(b"354 go\r\n552 5.3.4 too large\r\n".to_vec());
    let unasked = Fault::say("250 2.1.0 Ok\r\n250 2.1.5 Ok");
    let mut cases = Vec::new();
    for (name, step, fault, fate, says) in [
        (
            "552 and closed in the middle of the text",
            Step::Data,
            early,
            Fate::Never,
            "552 5.3.4 too large",
        ),
        (
            "two answers to one command",
            Step::Sender,
            unasked,
            Fate::Later,
            "unasked",
        ),
        (
            "an answer that drips",
            Step::Recipient,
            drip,
            Fate::Later,
            "no answer within",
        ),
        (
            "an answer without an end",
            Step::Sender,
            Fault::Endless,
            Fate::Later,
            "without an end",
        ),
        (
            "an answer that is no SMTP",
            Step::Sender,
            no_smtp,
            Fate::Later,
            "does not speak SMTP",
        ),
        (
            "taken, in many lines",
            Step::Text,
            lines,
            Fate::Taken,
            "1A2B",
        ),
        (
            "taken, without a word",
            Step::Text,
            Fault::say("250"),
            Fate::Taken,
            "250",
        ),
        (
            "taken, in 8-bit words",
            Step::Text,
            eight_bit,
            Fate::Taken,
            "Angenommen",
        ),
    ] {
        cases.push(case(name, fails(step, fault), fate, says));
    }
    cases
}

/// Servers that cannot do what others can.
fn lacks() -> Vec<Case> {
    let mut cases = Vec::new();
    for (name, abilities, fate, says) in [
        (
            "SIZE smaller than the mail",
            ["SIZE 500", "8BITMIME"],
            Fate::Never,
            "no more than 500",
        ),
        (
            "no 8BITMIME",
            ["SIZE 30000000", "SMTPUTF8"],
            Fate::Taken,
            "250",
        ),
        (
            "no SMTPUTF8",
            ["SIZE 30000000", "8BITMIME"],
            Fate::Taken,
            "250",
        ),
    ] {
        let set = move |server: &FakeSmtp| {
            server.state().abilities = abilities.map(str::to_owned).to_vec();
        };
        cases.push(case(name, set, fate, says));
    }
    cases
}

async fn every_fault_has_its_row(backend: Backend) {
    let office = Office::open(backend).await;
    let cases: Vec<Case> = refusals()
        .chain(cuts())
        .chain(insecure())
        .chain(answers())
        .chain(lacks())
        .collect();
    println!(
        "| what fails | the letter then | in the outbox, word for word | next try | staff see | arrived |"
    );
    println!("|---|---|---|---|---|---|");
    let (mut lost, mut doubled, mut doubts) = (0, 0, 0);
    for (number, case) in (1..).zip(&cases) {
        let server = FakeSmtp::start().await;
        (case.set)(&server);
        let has_login = !server.state().mechanisms.is_empty();
        let login = "username = \"desk\"\npassword = \"pass-of-the-desk\"";
        let (smtp, _folder) = smtp(&server, if has_login { login } else { "" }, None);
        let worker = office.worker(only(&smtp));
        let copies = row(&office, &worker, &server, case, &format!("f{number}")).await;
        lost += usize::from(copies == 0);
        doubled += copies.saturating_sub(1);
        doubts += usize::from(case.fate == Fate::Unknown);
    }
    let other = FakeSmtp::start_as(&["mx.other.example"], false).await;
    let (way, _folder) = smtp(&other, "", None);
    unusable(
        &office,
        "a certificate of another name",
        &way,
        "certificate",
    )
    .await;
    assert_eq!(other.state().mails, [], "nothing was said to it");
    let gone = format!("smtp://{}", address_of_its_own());
    let (way, _folder) = smtp_at(&gone, &other, "", None);
    unusable(&office, "nobody listens", &way, "it cannot be reached").await;
    // A name that no DNS has (RFC 2606). Where no DNS answers at all, the same comes of it.
    let (way, _folder) = smtp_at("smtp://relay.invalid", &other, "", None);
    unusable(
        &office,
        "a name that DNS does not know",
        &way,
        "(when connecting)",
    )
    .await;
    // Positive control: a letter of which the relay keeps nothing is seen as lost.
    let server = FakeSmtp::start().await;
    server.fail(Step::Text, Fault::Close, usize::MAX);
    let (smtp, _folder) = smtp(&server, "", None);
    let ticket = office.answered("control").await;
    office.tick(&office.worker(only(&smtp))).await;
    let id = office.header_id(ticket).await;
    assert_eq!(server.copies(&id), 0, "the count sees what is missing");

    let counted = office
        .test
        .number("SELECT CAST(SUM(doubts) AS BIGINT) FROM outgoing")
        .await;
    println!(
        "{backend:?}: {} faults, {lost} lost, {doubled} doubled, {doubts} in doubt",
        cases.len() + 3
    );
    assert_eq!((lost, doubled), (0, 2));
    assert_eq!(
        counted,
        i64::try_from(doubts + 1).expect("a count"),
        "with the control"
    );
}

/// One fault from its beginning to its end. Returns how often the letter arrived.
async fn row(office: &Office, worker: &Worker, server: &FakeSmtp, case: &Case, id: &str) -> usize {
    let name = case.name.as_str();
    let ticket = office.answered(id).await;
    let tick = office.tick(worker).await;
    let letter = office.letter(ticket).await;
    let reason = letter.reason.clone().unwrap_or_default();
    assert!(reason.contains(case.says), "{name}: {reason}");
    assert_eq!(letter.attempts, 1, "{name}");
    assert_eq!(
        letter.doubts,
        i64::from(case.fate == Fate::Unknown),
        "{name}"
    );
    let (ended, state) = match case.fate {
        Fate::Taken => (Tick::Done, OutgoingState::Sent),
        Fate::Later | Fate::Unknown => (Tick::Postponed, OutgoingState::Waiting),
        Fate::Never => (Tick::Dead, OutgoingState::Failed),
    };
    assert_eq!((tick, letter.state), (ended, state), "{name}: {reason}");
    let seen = seen(office, ticket, case).await;
    let next = next_try(office, &letter.id.to_string()).await;

    // It is over.
    server.state().faults.clear();
    server.state().abilities.push("SIZE 0".to_owned());
    server.state().abilities.retain(|one| one != "SIZE 500");
    server.state().has_starttls = true;
    match case.fate {
        Fate::Taken => {}
        Fate::Later | Fate::Unknown => {
            let (_, wait) = next.expect("it is tried again");
            let minute = Duration::from_secs(45)..Duration::from_secs(76);
            assert!(minute.contains(&wait), "{name}: {wait:?}");
            assert_eq!(
                office.tick(worker).await,
                Tick::Idle,
                "{name}: not before its time"
            );
            office.test.pass(wait);
        }
        Fate::Never => {
            let (job, _) = next.expect("it is a dead letter");
            assert_eq!(
                office.tick(worker).await,
                Tick::Idle,
                "{name}: by itself, never"
            );
            jobs::retry(&office.test.desk, &owner(), job)
                .await
                .expect("a person may");
            office.test.pass(Duration::from_secs(1));
        }
    }
    if case.fate != Fate::Taken {
        assert_eq!(office.tick(worker).await, Tick::Done, "{name}");
    }
    let letter = office.letter(ticket).await;
    assert_eq!(letter.state, OutgoingState::Sent, "{name}");
    let copies = server.copies(&office.header_id(ticket).await);
    assert_eq!(copies, case.copies, "{name}");
    let mails = server.state().mails.clone();
    assert!(
        mails.iter().all(|mail| mail.bytes == mails[0].bytes),
        "{name}: the same bytes"
    );

    let (state, wait) = match (case.fate, next) {
        (Fate::Later | Fate::Unknown, Some((_, wait))) => {
            ("waiting", format!("in {} s", wait.as_secs()))
        }
        (Fate::Never, _) => ("failed", "`jobs retry`".to_owned()),
        _ => ("sent", "-".to_owned()),
    };
    let times = if copies == 1 { "once" } else { "**twice**" };
    println!("| {name} | {state} | {reason} | {wait} | {seen} | {times} |");
    copies
}

/// What is on the ticket while the fault lasts.
async fn seen(office: &Office, ticket: TicketNumber, case: &Case) -> String {
    let detail = office.test.ticket(ticket).await;
    let ours = detail
        .messages
        .iter()
        .find(|one| one.direction == Direction::Out);
    let delivery = ours.expect("the answer is there").delivery;
    let note = detail
        .messages
        .iter()
        .find(|one| one.direction == Direction::Note);
    let status = detail.ticket.status;
    let (wanted, is_told) = match case.fate {
        Fate::Taken => ((Status::WaitingCustomer, Delivery::Sent), false),
        Fate::Later | Fate::Unknown => ((Status::WaitingCustomer, Delivery::Queued), false),
        Fate::Never => ((Status::Open, Delivery::Failed), true),
    };
    assert_eq!((status, delivery), wanted, "{}", case.name);
    assert_eq!(note.is_some(), is_told, "{}", case.name);
    if let Some(note) = note {
        assert!(
            note.text.contains(case.says),
            "{}: {}",
            case.name,
            note.text
        );
        assert!(
            note.text.contains(super::JOHN),
            "{}: {}",
            case.name,
            note.text
        );
    }
    let told = if is_told { "a note, " } else { "" };
    format!("{told}{status}, {delivery}")
}

/// The job of a letter that has not ended, and in how long it is due.
async fn next_try(office: &Office, letter: &str) -> Option<(JobId, Duration)> {
    let sql = format!(
        "SELECT id, run_at FROM jobs WHERE dedup_key = '{letter}' AND state IN ('queued', 'dead')"
    );
    let found: Vec<(JobId, Timestamp)> = office.test.look(&sql).await;
    let (id, at) = found.into_iter().next()?;
    Some((id, at.since(office.test.clock.read())))
}

/// A relay that cannot be used gets nothing, and the letter leaves by one that can. Prints its row.
async fn unusable(office: &Office, name: &str, way: &Arc<Smtp>, says: &str) {
    let ticket = office.answered(name).await;
    let worker = office.worker(only(way));
    assert_eq!(office.tick(&worker).await, Tick::Postponed);
    let letter = office.letter(ticket).await;
    let reason = letter.reason.unwrap_or_default();
    assert!(reason.contains(says), "{reason}");
    let next = next_try(office, &letter.id.to_string()).await;
    let (_, wait) = next.expect("it is tried again");
    println!(
        "| {name} | waiting | {reason} | in {} s | waiting-customer, queued | once |",
        wait.as_secs()
    );
    let right = FakeSmtp::start().await;
    let (smtp, _folder) = smtp(&right, "", None);
    office.test.pass(wait);
    assert_eq!(office.tick(&office.worker(only(&smtp))).await, Tick::Done);
    assert_eq!(right.copies(&office.header_id(ticket).await), 1);
}

async fn a_letter_that_nobody_takes_is_given_up_after_days(backend: Backend) {
    let office = Office::open(backend).await;
    let server = FakeSmtp::start().await;
    server.fail(
        Step::Recipient,
        Fault::say("450 4.2.0 greylisted"),
        usize::MAX,
    );
    let (smtp, _folder) = smtp(&server, "", None);
    let worker = office.worker(only(&smtp));
    let ticket = office.answered("never").await;
    let begun = office.test.clock.read();
    let mut tries = 0;
    let letter = loop {
        let tick = office.tick(&worker).await;
        tries += 1;
        let letter = office.letter(ticket).await;
        if tick == Tick::Dead {
            break letter;
        }
        assert_eq!(tick, Tick::Postponed, "{letter:?}");
        assert!(tries < 200);
        let next = next_try(&office, &letter.id.to_string()).await;
        office.test.pass(next.expect("it is tried again").1);
    };
    let days = office.test.clock.read().since(begun).as_secs_f64() / 86_400.0;
    println!("{backend:?}: given up after {tries} tries in {days:.1} days");
    assert_eq!(letter.state, OutgoingState::Failed);
    assert!((5.0..5.3).contains(&days), "{days}");
    let detail = office.test.ticket(ticket).await;
    let note = detail
        .messages
        .iter()
        .find(|one| one.direction == Direction::Note);
    let note = note.expect("staff are told");
    assert!(
        note.text
            .contains("given up after days of trying: 450 4.2.0"),
        "{}",
        note.text
    );
    assert_eq!(detail.ticket.status, Status::Open);
}
