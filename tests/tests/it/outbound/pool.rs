//! Several connections, each for many letters: closed ones cost no letter a try, there are never more than
//! was said, and one on which something was cut off is not used again.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use tierdesk_core::{jobs::worker::Tick, outgoing::OutgoingState};
use tierdesk_tests::{
    Backend,
    fake_smtp::{FakeSmtp, Fault, Step},
    on_both,
};

use super::{Office, STEP, only, smtp};

on_both! {
    a_connection_that_was_closed_meanwhile_costs_no_try,
    letters_leave_over_several_connections_at_once,
}

async fn a_connection_that_was_closed_meanwhile_costs_no_try(backend: Backend) {
    let office = Office::open(backend).await;
    let server = FakeSmtp::start().await;
    let (way, _folder) = smtp(&server, "", None);
    let worker = office.worker(only(&way));
    let mut tries = Vec::new();
    for (round, connections) in [
        ("new", 1),
        ("again", 1),
        ("closed", 2),
        ("full", 3),
        ("silent", 4),
    ] {
        match round {
            // Behind the letter before, the server hung up.
            "again" => server.state().closes_behind = true,
            "full" => server.fail(
                Step::Sender,
                Fault::say("421 4.7.0 enough for one connection"),
                1,
            ),
            "silent" => server.fail(Step::Sender, Fault::Silence, 1),
            _ => server.state().closes_behind = false,
        }
        let ticket = office.answered(round).await;
        assert_eq!(office.tick(&worker).await, Tick::Done, "{round}");
        let letter = office.letter(ticket).await;
        assert_eq!(
            (letter.state, letter.attempts),
            (OutgoingState::Sent, 1),
            "{round}"
        );
        assert_eq!(server.state().connections, connections, "{round}");
        tries.push(letter.attempts);
    }
    println!(
        "{backend:?}: {} letters, {} tries, 4 connections",
        tries.len(),
        tries.iter().sum::<i64>()
    );

    // On a new connection the same words are a try: positive control.
    let server = FakeSmtp::start().await;
    server.fail(Step::Sender, Fault::say("421 4.7.0 not now"), 1);
    let (way, _folder) = smtp(&server, "", None);
    office.answered("control").await;
    assert_eq!(
        office.tick(&office.worker(only(&way))).await,
        Tick::Postponed
    );

    // A step that was cut off ends its connection: the next letter hears its own answers.
    let server = FakeSmtp::start().await;
    let (way, _folder) = smtp(&server, "", None);
    let worker = office.worker(only(&way));
    office.answered("before").await;
    assert_eq!(office.tick(&worker).await, Tick::Done);
    let late = Fault::Drip(STEP / 8);
    server.fail(Step::Recipient, late, 1);
    office.answered("cut off").await;
    assert_eq!(office.tick(&worker).await, Tick::Postponed);
    server.fail(Step::Text, Fault::say("554 5.7.1 not this one"), 1);
    let refused = office.answered("refused").await;
    assert_eq!(office.tick(&worker).await, Tick::Dead);
    let reason = office.letter(refused).await.reason.unwrap_or_default();
    assert!(reason.contains("not this one"), "{reason}");
}

const LETTERS: u16 = 60;

async fn letters_leave_over_several_connections_at_once(backend: Backend) {
    let office = Office::open(backend).await;
    let mut rates = Vec::new();
    for (workers, connections, most) in [(1, 4, 1), (3, 4, 3), (3, 2, 2)] {
        let server = FakeSmtp::start().await;
        server.state().delay = Duration::from_millis(44);
        let (way, _folder) = smtp(&server, &format!("connections = {connections}"), None);
        for number in 0..LETTERS {
            office
                .answered(&format!("{workers} {connections} {number}"))
                .await;
        }
        let begun = Instant::now();
        let mut running = tokio::task::JoinSet::new();
        for _ in 0..workers {
            let worker = Arc::new(office.worker(only(&way)));
            running.spawn(async move { worker.drain().await.expect("the queue can be read") });
        }
        let done: usize = running.join_all().await.iter().sum();
        let rate = f64::from(LETTERS) / begun.elapsed().as_secs_f64();
        assert_eq!(
            (done, server.state().mails.len()),
            (LETTERS.into(), LETTERS.into())
        );
        let open = server.state().most_open;
        assert!(
            open <= most,
            "{open} at once with {workers} workers and {connections} connections"
        );
        let made = server.state().connections;
        println!(
            "{backend:?}: {workers} workers, {connections} connections allowed: {rate:.1} letters/s at 44 ms each, {made} connections made"
        );
        assert!(made <= workers, "they are used again");
        rates.push(rate);
    }
    println!(
        "{backend:?}: 3 workers send {:.1} times as fast as 1",
        rates[1] / rates[0]
    );
}
