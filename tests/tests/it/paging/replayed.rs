//! What the rules would have done, beside what they did.

use std::time::Duration;

use tierdesk_core::desk::{
    Error,
    oncall::{self, Place},
};
use tierdesk_tests::{Backend, MailDesk, PageDesk, on_both, owner};

on_both! {
    the_replay_of_a_night_is_the_night,
    a_preview_counts_the_pages_of_each,
}

const MINUTE: Duration = Duration::from_mins(1);

async fn the_replay_of_a_night_is_the_night(backend: Backend) {
    let desk = PageDesk::start(backend).await;
    // Monday, 23:00.
    desk.pass(Duration::from_hours(14)).await;
    let letter = MailDesk::proven("john@acmefinance.com", "down").subject("[SEV1] down");
    let down = desk.mail.receive_on(&letter).await;
    let letter = MailDesk::proven("john@acmefinance.com", "a question").subject("a question");
    let question = desk.mail.receive_on(&letter).await;
    desk.pass(MINUTE * 12).await;
    desk.mail.reply(down, "We are at it.").await;
    desk.mail.reply(question, "So it is.").await;
    desk.pass(Duration::from_hours(4)).await;
    let called = desk.called();
    let of = |who: &str| called.iter().filter(|(_, name)| name == who).count() as u64;
    let fintech = Place::Tier("fintech".parse().expect("it is a slug"));
    let span = Duration::from_hours(24 * 30);
    let replay = oncall::replay(desk.desk(), &owner(), &fintech, span).await;
    let replay = replay.expect("it is played");
    assert_eq!((replay.tickets, replay.pages), (2, 1), "{replay:?}");
    for one in &replay.people {
        assert_eq!(one.calls, of(&one.name), "{one:?} in {called:?}");
        assert_eq!(one.nights, one.calls, "it was night");
    }
    let names: Vec<&str> = replay.people.iter().map(|one| one.name.as_str()).collect();
    assert_eq!(names.len(), 3, "ben, then pia and ada: {names:?}");
    // Other rules would have woken others: an empty rota, nobody but the catch-all.
    desk.disable("ben").await;
    desk.disable("ada").await;
    let replay = oncall::replay(desk.desk(), &owner(), &fintech, span).await;
    assert_eq!(replay.expect("it is played").catch_all, 1);
    let unknown = Place::Schedule("nowhere".to_owned());
    let refused = oncall::replay(desk.desk(), &owner(), &unknown, span).await;
    assert!(matches!(refused, Err(Error::Refused(_))));
}

async fn a_preview_counts_the_pages_of_each(backend: Backend) {
    let desk = PageDesk::start(backend).await;
    let letter = MailDesk::proven("john@acmefinance.com", "down").subject("[SEV1] down");
    desk.mail.receive_on(&letter).await;
    desk.pass(MINUTE * 11).await;
    let fintech = Place::Tier("fintech".parse().expect("it is a slug"));
    let preview = oncall::preview(desk.desk(), &owner(), &fintech, (None, None), 4).await;
    let preview = preview.expect("it is made");
    let pages = |name: &str| {
        let found = preview.load.iter().find(|one| one.name == name);
        found.map(|one| one.pages)
    };
    assert_eq!(
        (pages("ben"), pages("ada"), pages("pia")),
        (Some(1), Some(1), Some(1))
    );
}
