//! Pages in chat: somebody is called in the ticket's thread and directly, takes it with a button, and
//! everything further stops.

use std::time::Duration;

use serde_json::{Value, json};
use tierdesk_core::{
    desk::{
        oncall,
        paging::{
            self, PageReport, Which,
            channels::{self, NewChannel},
        },
        work_ticket,
    },
    paging::{Channel, NoticeState, PageState},
    tickets::{CloseReason, TicketNumber},
};
use tierdesk_tests::{Backend, GuildDesk, discord::Message, on_both, owner};

on_both! {
    a_sev1_calls_in_the_thread_and_directly_and_is_acknowledged,
    an_acknowledgement_in_the_thread_stops_the_next_step,
    closed_direct_messages_leave_the_thread,
    a_minute_without_discord_is_waited_for,
    a_lost_answer_makes_no_second_message,
    a_ticket_without_a_thread_calls_directly,
    a_strict_tier_names_nobody_and_says_nothing,
    a_closed_ticket_leaves_no_button,
    oncall_tells_who_is_called_and_which_pages_are_open,
    a_handoff_is_told_without_a_sound,
    oncall_5088_every_call_is_brought_up_to_date_under_load,
}

pub(super) const MINUTE: Duration = Duration::from_mins(1);

pub(super) async fn page(desk: &GuildDesk, number: TicketNumber) -> PageReport {
    let pages = paging::show(&desk.test.desk, &owner(), &Which::Ticket(number)).await;
    let mut pages = pages.expect("they are shown");
    assert_eq!(pages.len(), 1, "{pages:#?}");
    pages.remove(0)
}

/// The calls in the one thread of a channel, without its card.
pub(super) fn calls(desk: &GuildDesk, channel: &str) -> Vec<Message> {
    let thread = desk.thread(channel).id;
    let mut messages = desk.discord.messages_in(thread);
    messages.retain(|one| one.id != thread && !one.is_ephemeral());
    messages
}

pub(super) fn direct(desk: &GuildDesk, user: u64) -> Vec<Message> {
    let mut messages = desk.discord.direct_messages(user);
    messages.retain(|one| !one.is_ephemeral());
    messages
}

/// Calls as they were sent: each names exactly one person, in the text and to Discord. Returns how many.
fn every_call_names_one(desk: &GuildDesk) -> usize {
    let mut calls = 0;
    for request in desk.discord.requests() {
        let body = request.body;
        for mentions in [&body["allowed_mentions"], &body["data"]["allowed_mentions"]] {
            let Some(users) = mentions["users"].as_array() else {
                continue;
            };
            let content = body["content"].as_str().unwrap_or_default();
            assert_eq!(request.method, "POST", "{body}");
            assert_eq!(users.len(), 1, "{body}");
            assert_eq!(mentions["parse"], json!([]), "{body}");
            let named = format!("<@{}>", users[0].as_str().unwrap_or_default());
            assert_eq!(content.matches("<@").count(), 1, "{content}");
            assert!(content.starts_with(&named), "{content}");
            calls += 1;
        }
    }
    calls
}

/// A desk with a rota on which somebody was just called to a sev1 of fintech's.
pub(super) async fn called(backend: Backend) -> (GuildDesk, TicketNumber) {
    let desk = GuildDesk::start(backend).await;
    desk.rota().await;
    let number = desk.sev1("john@acmefinance.com", "all is down").await;
    desk.pass(Duration::from_secs(5)).await;
    (desk, number)
}

async fn a_sev1_calls_in_the_thread_and_directly_and_is_acknowledged(backend: Backend) {
    let (desk, number) = called(backend).await;
    let in_thread = calls(&desk, "support-fintech");
    let directly = direct(&desk, desk.dana);
    assert_eq!((in_thread.len(), directly.len()), (1, 1));
    let buttons = [
        "Acknowledge",
        "Can't take it: next now",
        "Hand over",
        "Severity",
    ];
    assert_eq!(in_thread[0].labels(), buttons);
    assert_eq!(directly[0].labels(), buttons[..2]);
    for call in in_thread.iter().chain(&directly) {
        let text = call.text();
        assert!(
            text.starts_with(&format!("<@{}> **SEV1", desk.dana)),
            "{text}"
        );
        for shown in ["ACME Finance Inc", "fintech", "all is down", "Step 1."] {
            assert!(text.contains(shown), "{shown}: {text}");
        }
    }
    let page_now = page(&desk, number).await;
    assert_eq!(page_now.state, PageState::Open);
    let sent = |one: &&paging::NoticeReport| one.state == NoticeState::Sent;
    assert_eq!(page_now.notices.iter().filter(sent).count(), 2);
    assert_eq!(every_call_names_one(&desk), 2);

    let answer = desk
        .discord
        .press(desk.dana, directly[0].id, "Acknowledge")
        .await;
    assert!(answer.is_ephemeral());
    assert!(
        answer.text().contains(&format!("You have {number}")),
        "{answer:?}"
    );
    desk.pass(MINUTE * 25).await;
    let page_now = page(&desk, number).await;
    assert_eq!(page_now.state, PageState::Acknowledged);
    assert_eq!(page_now.acknowledged_by.as_deref(), Some("staff:dana"));
    assert_eq!(page_now.acknowledged_via.as_deref(), Some("chat"));
    assert_eq!(every_call_names_one(&desk), 2, "nobody further is called");
    for message in [in_thread[0].id, directly[0].id] {
        let now = desk.discord.message(message).expect("it stands");
        assert!(now.labels().is_empty(), "{:?}", now.labels());
        assert!(
            now.text().contains("acknowledged, by dana"),
            "{}",
            now.text()
        );
        assert!(!now.text().contains("<@"), "{}", now.text());
    }
    desk.end().await;
}

async fn an_acknowledgement_in_the_thread_stops_the_next_step(backend: Backend) {
    let (desk, number) = called(backend).await;
    let call = calls(&desk, "support-fintech").remove(0);
    // Whoever sees the thread may help.
    let answer = desk.discord.press(desk.erin, call.id, "Acknowledge").await;
    assert!(answer.text().contains("You have"), "{answer:?}");
    desk.pass(MINUTE * 15).await;
    assert_eq!(
        page(&desk, number).await.acknowledged_by.as_deref(),
        Some("staff:erin")
    );
    assert!(
        direct(&desk, desk.erin).is_empty(),
        "the second step is not gone"
    );
    desk.end().await;

    let (desk, number) = called(backend).await;
    desk.pass(MINUTE * 15).await;
    assert_eq!(
        direct(&desk, desk.erin).len(),
        1,
        "positive control: it is without"
    );
    let call = calls(&desk, "support-fintech").remove(0);
    let answer = desk.discord.press(desk.dana, call.id, "Acknowledge").await;
    assert!(answer.text().contains(&number.to_string()), "{answer:?}");
    desk.pass(MINUTE).await;
    desk.end().await;
}

async fn closed_direct_messages_leave_the_thread(backend: Backend) {
    let desk = GuildDesk::start(backend).await;
    desk.rota().await;
    desk.discord.close_direct(desk.dana);
    let number = desk.sev1("john@acmefinance.com", "all is down").await;
    desk.pass(Duration::from_secs(5)).await;
    assert_eq!(calls(&desk, "support-fintech").len(), 1);
    let notices = page(&desk, number).await.notices;
    let closed = notices.iter().find(|one| one.channel == Channel::Direct);
    let closed = closed.expect("it was tried");
    assert_eq!((closed.state, closed.attempts), (NoticeState::Failed, 1));
    assert!(
        closed
            .reason
            .as_deref()
            .is_some_and(|why| why.contains("50007")),
        "{closed:?}"
    );
    desk.was_refused("50007");
    let call = calls(&desk, "support-fintech").remove(0).id;
    desk.discord.press(desk.dana, call, "Acknowledge").await;
    desk.work().await;
    desk.end().await;
}

async fn a_minute_without_discord_is_waited_for(backend: Backend) {
    let desk = GuildDesk::start(backend).await;
    desk.rota().await;
    let number = desk.sev1("john@acmefinance.com", "all is down").await;
    // Nothing gets through: the card's post, the opening of a direct channel, nor any message.
    let away = json!({ "message": "overloaded" });
    for path in ["/channels/*/threads", "/users/@me/channels"] {
        for _ in 0..5 {
            desk.discord.fail_next("POST", path, 503, away.clone());
        }
    }
    desk.pass(Duration::from_secs(50)).await;
    let so_far = page(&desk, number).await.notices;
    assert!(
        so_far.iter().all(|one| one.state == NoticeState::Due),
        "{so_far:#?}"
    );
    assert!(direct(&desk, desk.dana).is_empty());
    desk.pass(MINUTE * 3).await;
    assert_eq!(direct(&desk, desk.dana).len(), 1, "it arrived, once");
    let page_now = page(&desk, number).await;
    assert_eq!(page_now.state, PageState::Open);
    let call = direct(&desk, desk.dana).remove(0).id;
    desk.discord.press(desk.dana, call, "Acknowledge").await;
    desk.pass(MINUTE * 5).await;
    desk.end().await;
}

async fn a_lost_answer_makes_no_second_message(backend: Backend) {
    let desk = GuildDesk::start(backend).await;
    desk.rota().await;
    desk.sev1("john@acmefinance.com", "all is down").await;
    desk.post().await;
    desk.discord.drop_next("/channels/*/messages");
    desk.discord.drop_next("/channels/*/messages");
    desk.pass(Duration::from_secs(30)).await;
    let posted = desk
        .discord
        .requests()
        .into_iter()
        .filter(|one| one.method == "POST" && one.path.ends_with("/messages"));
    assert_eq!(posted.count(), 4, "each was sent twice");
    assert_eq!(calls(&desk, "support-fintech").len(), 1);
    let directly = direct(&desk, desk.dana);
    assert_eq!(directly.len(), 1);
    let answer = desk
        .discord
        .press(desk.dana, directly[0].id, "Acknowledge")
        .await;
    assert!(
        answer.text().contains("You have"),
        "its buttons work: {answer:?}"
    );
    desk.work().await;
    let now = desk.discord.message(directly[0].id).expect("it stands");
    assert!(now.labels().is_empty(), "and it is known where it stands");
    desk.end().await;
}

async fn a_ticket_without_a_thread_calls_directly(backend: Backend) {
    let desk = GuildDesk::start(backend).await;
    desk.rota().await;
    let away = json!({ "message": "overloaded" });
    for _ in 0..5 {
        let path = "/channels/*/threads";
        desk.discord.fail_next("POST", path, 503, away.clone());
    }
    let number = desk.sev1("john@acmefinance.com", "all is down").await;
    desk.pass(Duration::from_secs(50)).await;
    assert_eq!(direct(&desk, desk.dana).len(), 1);
    let state = async || {
        let notices = page(&desk, number).await.notices;
        let found = notices
            .into_iter()
            .find(|one| one.channel == Channel::Thread);
        found.expect("it is there").state
    };
    assert_eq!(state().await, NoticeState::Due);
    desk.pass(Duration::from_secs(30)).await;
    assert_eq!(state().await, NoticeState::Failed);
    let call = direct(&desk, desk.dana).remove(0).id;
    desk.discord.press(desk.dana, call, "Acknowledge").await;
    desk.pass(MINUTE * 10).await;
    assert_eq!(desk.threads("support-fintech").len(), 1, "it came later");
    desk.end().await;
}

const WORD: &str = "quartzcanary";

async fn a_strict_tier_names_nobody_and_says_nothing(backend: Backend) {
    let desk = GuildDesk::start(backend).await;
    desk.rota().await;
    let mut leaked = Vec::new();
    for (from, channel) in [
        ("security@techgov.gov", "support-gov-federal"),
        ("compliance@medicorp.com", "support-healthcare"),
        ("john@acmefinance.com", "support-fintech"),
    ] {
        let before = desk.discord.requests().len();
        let about = format!("{WORD} of {channel}");
        let number = desk.sev1(from, &about).await;
        desk.pass(Duration::from_secs(5)).await;
        let call = calls(&desk, channel).remove(0);
        let directly = direct(&desk, desk.dana);
        assert!(
            directly
                .iter()
                .any(|one| one.text().replace('\\', "").contains(&number.to_string()))
        );
        desk.discord.press(desk.erin, call.id, "Acknowledge").await;
        desk.work().await;
        let now = desk.discord.message(call.id).expect("it stands").text();
        let may_name = channel != "support-gov-federal";
        assert_eq!(
            call.labels().contains(&"Hand over".to_owned()),
            may_name,
            "{channel}"
        );
        let by = if may_name {
            "by erin"
        } else {
            "by a colleague"
        };
        assert!(now.contains(by), "{channel}: {now}");
        let requests = desk.discord.requests();
        let sent = &requests[before..];
        assert!(sent.len() > 5, "positive control: {}", sent.len());
        let has = |word: &str| sent.iter().any(|one| one.raw.to_lowercase().contains(word));
        leaked.push((has(WORD), has("techgov")));
    }
    assert_eq!(
        leaked,
        [(false, false), (false, false), (true, false)],
        "and fintech's subject is shown"
    );
    desk.end().await;
}

async fn a_closed_ticket_leaves_no_button(backend: Backend) {
    let (desk, number) = called(backend).await;
    let in_thread = calls(&desk, "support-fintech").remove(0).id;
    work_ticket::close(&desk.test.desk, &owner(), number, CloseReason::Done)
        .await
        .expect("an admin may");
    desk.pass(MINUTE).await;
    let now = desk.discord.message(in_thread).expect("it stands");
    assert!(
        now.labels().is_empty() && now.text().contains("It is over"),
        "{}",
        now.text()
    );
    assert!(
        desk.thread("support-fintech").is_archived,
        "and stays put away"
    );
    let directly = direct(&desk, desk.dana).remove(0);
    assert!(directly.labels().is_empty(), "{}", directly.text());
    desk.end().await;
}

async fn oncall_tells_who_is_called_and_which_pages_are_open(backend: Backend) {
    let desk = GuildDesk::start(backend).await;
    desk.rota().await;
    let ask = async |verb: &str, options: Value| {
        let path = format!("oncall {verb}");
        let answer = desk.discord.command(desk.erin, &path, options).await;
        assert!(answer.is_ephemeral());
        answer.text().replace('\\', "")
    };
    let now = ask("now", json!({})).await;
    assert_eq!(now.matches("dana, then erin").count(), 4, "{now}");
    assert_eq!(now.matches("was proven: dana, erin").count(), 4, "{now}");
    assert!(ask("pages", json!({})).await.contains("No page is open"));

    let (there, dana) = (&desk.test.desk, desk.actor(desk.dana));
    let added = channels::add(there, &dana, "me", NewChannel::Direct, Some(true)).await;
    added.expect("it is added");
    paging::test_page(there, &dana, "me")
        .await
        .expect("it is sent");
    desk.work().await;
    let call = direct(&desk, desk.dana).remove(0).id;
    desk.discord.press(desk.dana, call, "Acknowledge").await;
    let now = ask("now", json!({})).await;
    assert_eq!(now.matches("was proven: erin").count(), 4, "{now}");

    let shown = desk.sev1("john@acmefinance.com", "one").await;
    let strict = desk.sev1("security@techgov.gov", "two").await;
    desk.pass(Duration::from_secs(5)).await;
    let ticket = |number: TicketNumber| json!({ "ticket": number.to_string() });
    assert!(ask("ack", ticket(shown)).await.contains("You have"));
    assert!(ask("ack", ticket(strict)).await.contains("You have"));
    let pages = ask("pages", json!({})).await;
    let line = |number: TicketNumber| {
        let mark = format!("**{number}**");
        let found = pages.lines().find(|line| line.contains(&mark));
        found
            .unwrap_or_else(|| panic!("{number}: {pages}"))
            .to_owned()
    };
    let (shown, strict) = (line(shown), line(strict));
    for part in ["sev1", "ACME Finance Inc", "acknowledged", "by erin"] {
        assert!(shown.contains(part), "{part}: {shown}");
    }
    assert!(
        strict.contains("Client-") && strict.contains("acknowledged"),
        "{strict}"
    );
    assert!(
        !strict.contains("erin") && !pages.contains("TechGov"),
        "{strict}"
    );
    desk.pass(MINUTE).await;
    desk.end().await;
}

/// Discord's flag `SUPPRESS_NOTIFICATIONS`.
const SILENT: u64 = 1 << 12;

async fn a_handoff_is_told_without_a_sound(backend: Backend) {
    let desk = GuildDesk::start(backend).await;
    desk.rota().await;
    let told = oncall::tell_handoffs(&desk.test.desk).await;
    assert_eq!(told.expect("it is looked"), 2);
    desk.work().await;
    for (user, layer) in [(desk.dana, "primary"), (desk.erin, "secondary")] {
        let messages = direct(&desk, user);
        assert_eq!(messages.len(), 1, "{messages:?}");
        let (text, flags) = (messages[0].text().replace('\\', ""), messages[0].flags);
        assert!(text.starts_with("**You are on call now: fintech"), "{text}");
        assert!(text.contains(&format!("standard ({layer})")), "{text}");
        assert_eq!(flags & SILENT, SILENT);
        assert!(messages[0].labels().is_empty(), "it asks for nothing");
    }
    assert_eq!(every_call_names_one(&desk), 0, "nobody is called");
    // Positive control: a page rings.
    desk.sev1("john@acmefinance.com", "all is down").await;
    desk.work().await;
    let call = direct(&desk, desk.dana).pop().expect("dana is called");
    assert_eq!(call.flags & SILENT, 0);
}

/// grafana/oncall: a message in chat went on calling after its page was taken, because Discord asked for patience
/// when it was to be changed.
async fn oncall_5088_every_call_is_brought_up_to_date_under_load(backend: Backend) {
    const TICKETS: usize = 12;
    let desk = GuildDesk::start(backend).await;
    desk.rota().await;
    let mut numbers = Vec::new();
    for n in 0..TICKETS {
        let about = format!("number {n} is down");
        numbers.push(desk.sev1("john@acmefinance.com", &about).await);
    }
    desk.pass(Duration::from_secs(20)).await;
    let standing = || {
        let threads = desk.threads("support-fintech").into_iter();
        let in_threads = threads.flat_map(|thread| {
            let mut messages = desk.discord.messages_in(thread.id);
            messages.retain(|one| one.id != thread.id && !one.is_ephemeral());
            messages
        });
        let mut all: Vec<Message> = in_threads.collect();
        all.extend(direct(&desk, desk.dana));
        all
    };
    let calling = |all: &[Message]| all.iter().filter(|one| !one.labels().is_empty()).count();
    assert_eq!(
        calling(&standing()),
        2 * TICKETS,
        "positive control: all call"
    );
    for _ in 0..TICKETS {
        let message = "/channels/*/messages/*";
        desk.discord
            .rate_limit_next(message, Duration::from_millis(20), "user");
        desk.discord.fail_next("PATCH", message, 502, json!({}));
    }
    for number in numbers {
        paging::acknowledge(
            &desk.test.desk,
            &owner(),
            &Which::Ticket(number),
            "terminal",
        )
        .await
        .expect("somebody takes it");
    }
    desk.pass(MINUTE * 3).await;
    assert_eq!(desk.discord.faults_left(), 0, "every fault has struck");
    let after = standing();
    assert_eq!(after.len(), 2 * TICKETS, "none is said twice");
    assert_eq!(calling(&after), 0, "none calls any more");
    for one in after {
        assert!(one.text().contains("It is acknowledged"), "{}", one.text());
    }
    desk.end().await;
}
