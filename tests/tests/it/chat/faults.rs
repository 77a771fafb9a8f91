//! Posting when Discord is slow, full, closed or gone.

use std::time::Duration;

use serde_json::json;
use tierdesk_core::{
    desk::work_ticket,
    jobs::{JobState, worker::Tick},
    store::jobs,
    tickets::Status,
};
use tierdesk_tests::{Backend, GuildDesk, Letter, on_both, owner};

on_both! {
    a_rate_limit_is_waited_for,
    a_lost_reply_makes_no_second_post,
    what_somebody_deleted_is_posted_again,
    an_archived_thread_takes_the_next_change,
    a_restricted_channel_that_everybody_sees_gets_nothing,
    a_full_server_keeps_the_ticket_waiting,
    a_text_channel_holds_cards_with_threads,
    outages_are_tried_again_and_wrong_requests_are_not,
}

async fn waiting(desk: &GuildDesk) -> Vec<(JobState, String)> {
    let mut tx = desk
        .test
        .desk
        .database
        .begin_read()
        .await
        .expect("it begins");
    let states = [JobState::Queued, JobState::Leased, JobState::Dead];
    let found = jobs::list(&mut tx, &states, 100).await.expect("it lists");
    found
        .into_iter()
        .map(|job| (job.state, job.last_error.unwrap_or_default()))
        .collect()
}

async fn mail(desk: &GuildDesk, id: &str) -> tierdesk_core::tickets::TicketNumber {
    let letter = Letter::new("john@acmefinance.com", id);
    desk.test.receive_on(&letter).await
}

async fn a_rate_limit_is_waited_for(backend: Backend) {
    let desk = GuildDesk::start(backend).await;
    mail(&desk, "a").await;
    desk.discord
        .rate_limit_next("/channels/*/threads", Duration::from_millis(700), "user");
    assert_eq!(desk.tick().await, Tick::Postponed);
    assert!(desk.threads("support-fintech").is_empty());
    let tried = desk
        .test
        .number("SELECT attempts FROM jobs WHERE state = 'queued'");
    assert_eq!(tried.await, 0, "waiting for one's turn is no try");
    let count = |desk: &GuildDesk| desk.discord.requests().len();
    let before = count(&desk);
    desk.test.pass(Duration::from_millis(600));
    assert_eq!(
        desk.tick().await,
        Tick::Idle,
        "not before the time that was asked for"
    );
    assert_eq!(count(&desk), before, "and nothing is sent meanwhile");
    tokio::time::sleep(Duration::from_millis(750)).await;
    // Up to a quarter more, so that not all that wait come back at once.
    desk.test.pass(Duration::from_millis(400));
    assert_eq!(desk.tick().await, Tick::Done);
    assert_eq!(desk.threads("support-fintech").len(), 1);
    desk.end().await;
}

async fn a_lost_reply_makes_no_second_post(backend: Backend) {
    let desk = GuildDesk::start(backend).await;
    let number = mail(&desk, "a").await;
    desk.discord.drop_next("/channels/*/threads");
    assert_eq!(
        desk.tick().await,
        Tick::Postponed,
        "made, and nobody was told"
    );
    assert_eq!(desk.threads("support-fintech").len(), 1);
    desk.test.pass(Duration::from_secs(10));
    desk.post().await;
    assert_eq!(
        desk.threads("support-fintech").len(),
        1,
        "found, not made again"
    );
    let card = desk.card("support-fintech").id;
    let taken = desk.discord.press(desk.dana, card, "Take").await;
    assert!(
        taken.text().contains("is yours"),
        "its buttons work: {taken:?}"
    );
    assert_eq!(desk.test.ticket(number).await.ticket.status, Status::Open);
    desk.post().await;
    desk.end().await;
}

async fn what_somebody_deleted_is_posted_again(backend: Backend) {
    let desk = GuildDesk::start(backend).await;
    let number = mail(&desk, "a").await;
    desk.post().await;
    desk.discord
        .remove_channel(desk.thread("support-fintech").id);
    assert!(desk.threads("support-fintech").is_empty());
    work_ticket::set_status(&desk.test.desk, &owner(), number, Status::OnHold)
        .await
        .expect("an admin may");
    desk.post().await;
    assert!(desk.card("support-fintech").text().contains("on-hold"));
    desk.was_refused("10003");
    desk.end().await;
}

async fn an_archived_thread_takes_the_next_change(backend: Backend) {
    let desk = GuildDesk::start(backend).await;
    let number = mail(&desk, "a").await;
    desk.post().await;
    let thread = desk.thread("support-fintech").id;
    desk.discord
        .change(thread, |thread| thread.is_archived = true);
    work_ticket::set_status(&desk.test.desk, &owner(), number, Status::OnHold)
        .await
        .expect("an admin may");
    desk.post().await;
    assert!(desk.card("support-fintech").text().contains("on-hold"));
    assert!(!desk.thread("support-fintech").is_archived);
    desk.end().await;
}

async fn a_restricted_channel_that_everybody_sees_gets_nothing(backend: Backend) {
    let desk = GuildDesk::start(backend).await;
    let channel = desk
        .discord
        .channel_by_name("support-healthcare")
        .expect("it is there")
        .id;
    desk.discord
        .change(channel, |channel| channel.overwrites.clear());
    desk.test
        .receive(&Letter::new("compliance@medicorp.com", "a"))
        .await;
    desk.test.pass(Duration::from_secs(1));
    mail(&desk, "b").await;
    assert_eq!(desk.tick().await, Tick::Postponed);
    let (state, why) = waiting(&desk).await.remove(0);
    assert_eq!(state, JobState::Queued);
    assert!(why.is_empty() || why.contains("@everyone"), "{why}");
    desk.post().await;
    assert!(desk.threads("support-healthcare").is_empty());
    assert_eq!(desk.threads("support-fintech").len(), 1, "others go on");
    desk.discord.hide_from_everyone(channel);
    desk.discord
        .overwrite(channel, desk.discord.bot_user_id(), 1 << 10, 0);
    desk.test.pass(Duration::from_mins(1));
    desk.post().await;
    assert_eq!(desk.threads("support-healthcare").len(), 1);
    desk.end().await;
}

async fn a_full_server_keeps_the_ticket_waiting(backend: Backend) {
    let desk = GuildDesk::start(backend).await;
    mail(&desk, "a").await;
    desk.post().await;
    desk.discord.limit_active_threads(1);
    mail(&desk, "b").await;
    desk.post().await;
    assert_eq!(desk.threads("support-fintech").len(), 1);
    let (state, why) = waiting(&desk).await.remove(0);
    assert_eq!(state, JobState::Queued);
    assert!(why.contains("no room"), "{why}");
    desk.was_refused("160006");
    desk.discord.limit_active_threads(1_000);
    desk.test.pass(Duration::from_mins(1));
    desk.post().await;
    assert_eq!(desk.threads("support-fintech").len(), 2);
    desk.end().await;
}

async fn a_text_channel_holds_cards_with_threads(backend: Backend) {
    let desk = GuildDesk::start(backend).await;
    let forum = desk.discord.channel_by_name("support-fintech");
    desk.discord.remove_channel(forum.expect("it is there").id);
    let channel = desk.discord.add_text_channel("support-fintech");
    let number = mail(&desk, "a").await;
    desk.discord.drop_next("/channels/*/messages");
    assert_eq!(
        desk.tick().await,
        Tick::Postponed,
        "made, and nobody was told"
    );
    desk.test.pass(Duration::from_secs(10));
    desk.post().await;
    let cards = desk.discord.messages_in(channel);
    let cards: Vec<_> = cards
        .iter()
        .filter(|card| !card.embeds.is_empty())
        .collect();
    assert_eq!(cards.len(), 1, "made once");
    let thread = desk.thread("support-fintech");
    assert_eq!(thread.id, cards[0].id, "begun from the card");
    let taken = desk.discord.press(desk.dana, cards[0].id, "Take").await;
    assert!(taken.text().contains("is yours"), "{taken:?}");
    desk.post().await;
    work_ticket::close(
        &desk.test.desk,
        &owner(),
        number,
        tierdesk_core::tickets::CloseReason::Done,
    )
    .await
    .expect("an admin may");
    desk.post().await;
    assert!(desk.thread("support-fintech").is_archived);

    desk.discord.limit_active_threads(0);
    mail(&desk, "b").await;
    desk.post().await;
    let cards = desk.discord.messages_in(channel);
    let cards = cards.iter().filter(|card| !card.embeds.is_empty()).count();
    assert_eq!(cards, 2, "without room for a thread the card stands alone");
    desk.was_refused("160006");
    desk.end().await;
}

async fn outages_are_tried_again_and_wrong_requests_are_not(backend: Backend) {
    let desk = GuildDesk::start(backend).await;
    mail(&desk, "a").await;
    let path = "/channels/*/threads";
    desk.discord
        .fail_next("POST", path, 503, json!({ "message": "overloaded" }));
    assert_eq!(desk.tick().await, Tick::Postponed);
    desk.test.pass(Duration::from_mins(1));
    desk.discord.fail_next(
        "POST",
        path,
        400,
        json!({ "message": "Invalid Form Body", "code": 50_035 }),
    );
    assert_eq!(desk.tick().await, Tick::Dead);
    let (state, why) = waiting(&desk).await.remove(0);
    assert_eq!(state, JobState::Dead);
    assert!(why.contains("Invalid Form Body"), "{why}");
    mail(&desk, "b").await;
    desk.post().await;
    assert_eq!(desk.threads("support-fintech").len(), 1, "others go on");
    desk.end().await;
}
