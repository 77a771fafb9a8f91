//! The buttons of pages: each acts once, for somebody who may; in a direct message two do, for the one who got
//! them, and nothing else is answered there.

use std::{collections::BTreeMap, time::Duration};

use serde_json::Value;
use tierdesk_bot::pages::PREFIX;
use tierdesk_core::{
    desk::{
        Error,
        chat::{self, Input},
        paging::{
            self, Which,
            channels::{self, NewChannel},
            press::{self, PagePressed},
        },
        work_ticket,
    },
    discord::{DiscordId, Member},
    paging::PageState,
    permit::{ACTIONS, Actor, IN_DIRECT_MESSAGES},
    refusal::RefusalCode,
    staff::Role,
};
use tierdesk_tests::{Backend, GuildDesk, discord::Message, make_bot, on_both, owner};

use super::pages::{MINUTE, called, calls, direct, page};

on_both! {
    a_double_click_takes_a_page_once,
    somebody_elses_direct_message_does_nothing,
    a_direct_message_does_two_things_and_nothing_else,
    next_now_calls_the_next,
    a_page_is_handed_over_by_a_menu,
    a_test_is_answered_by_its_button,
    a_role_of_the_server_is_asked_for_in_direct_messages_too,
    a_severity_that_wakes_nobody_ends_the_page,
    the_buttons_of_a_page_are_as_the_table_says,
}

/// A member in a direct message with the bot.
fn in_person(desk: &GuildDesk, user: u64) -> Actor {
    let user = DiscordId::new(user).expect("users have ids");
    Actor::Discord(Member::new(
        desk.bot.guild.id,
        &BTreeMap::new(),
        None,
        user,
        &[],
    ))
}

/// What a button of a message means to the desk.
fn handle(message: &Message, label: &str) -> String {
    let mut controls = message.controls();
    let control = controls.find(|one| one["label"] == label);
    let id = control.and_then(|one| one["custom_id"].as_str());
    let id = id.and_then(|id| id.strip_prefix(PREFIX));
    id.expect("it has such a button").to_owned()
}

async fn a_double_click_takes_a_page_once(backend: Backend) {
    let (desk, number) = called(backend).await;
    let call = calls(&desk, "support-fintech").remove(0).id;
    let (one, two) = tokio::join!(
        desk.discord.press(desk.dana, call, "Acknowledge"),
        desk.discord.press(desk.erin, call, "Acknowledge"),
    );
    let (one, two) = (one.text(), two.text());
    let won = [&one, &two]
        .iter()
        .filter(|text| text.contains("You have"))
        .count();
    let lost = [&one, &two]
        .iter()
        .filter(|text| text.contains("done already"))
        .count();
    assert_eq!((won, lost), (1, 1), "{one} / {two}");
    let history = tierdesk_core::desk::tickets::history(&desk.test.desk, &owner(), number).await;
    let history = history.expect("it can be read");
    let taken = history
        .iter()
        .filter(|event| event.kind == "page_acknowledged");
    assert_eq!(taken.count(), 1);
    desk.work().await;
    desk.end().await;
}

fn is_refused<T: std::fmt::Debug>(outcome: Result<T, Error>, code: RefusalCode) -> bool {
    matches!(outcome, Err(Error::Refused(refusal)) if refusal.code == code)
}

async fn somebody_elses_direct_message_does_nothing(backend: Backend) {
    let (desk, number) = called(backend).await;
    let call = direct(&desk, desk.dana).remove(0);
    let impossible = desk
        .discord
        .person(desk.erin)
        .press(call.id, "Acknowledge")
        .await;
    assert!(impossible.is_err(), "nobody else sees it");
    let stranger = desk.discord.add_member("stranger", &[]);
    for label in ["Acknowledge", "Can't take it: next now"] {
        let handle = handle(&call, label);
        for actor in [
            in_person(&desk, desk.erin),
            desk.actor(desk.erin),
            in_person(&desk, stranger),
            desk.actor(stranger),
        ] {
            let pressed = press::press(&desk.test.desk, &actor, &handle, Input::None).await;
            assert!(
                is_refused(pressed, RefusalCode::NotPermitted),
                "{label}: {actor:?}"
            );
        }
    }
    let in_thread = handle(&calls(&desk, "support-fintech")[0], "Acknowledge");
    let theirs = in_person(&desk, desk.dana);
    let pressed = press::press(&desk.test.desk, &theirs, &in_thread, Input::None).await;
    assert!(
        is_refused(pressed, RefusalCode::NotPermitted),
        "a thread's button, taken elsewhere"
    );
    assert_eq!(page(&desk, number).await.state, PageState::Open);

    let own = handle(&call, "Acknowledge");
    let pressed = press::press(&desk.test.desk, &theirs, &own, Input::None).await;
    assert!(
        matches!(
            pressed,
            Ok(PagePressed::Acknowledged {
                is_others: false,
                ..
            })
        ),
        "positive control: {pressed:?}"
    );
    desk.work().await;
    desk.end().await;
}

async fn a_direct_message_does_two_things_and_nothing_else(backend: Backend) {
    let (desk, number) = called(backend).await;
    let me = in_person(&desk, desk.dana);
    let (there, which) = (&desk.test.desk, Which::Ticket(number));
    let code = RefusalCode::NotPermitted;
    assert!(is_refused(chat::may_use(there, &me).await, code));
    assert!(is_refused(
        chat::show_ticket(there, &me, number).await,
        code
    ));
    assert!(is_refused(paging::list(there, &me, false, 10).await, code));
    assert!(is_refused(
        work_ticket::assign(there, &me, number, "me").await,
        code
    ));
    // Without a button in hand the two are refused as well.
    assert!(is_refused(
        paging::acknowledge(there, &me, &which, "chat").await,
        code
    ));
    assert!(is_refused(
        paging::escalate(there, &me, &which, None).await,
        code
    ));
    assert!(is_refused(
        paging::hand_over(there, &me, &which, "erin").await,
        code
    ));
    let unknown = press::press(there, &me, "aaaaaaaaaaaaaaaaaaaaaaaaaa", Input::None).await;
    assert!(is_refused(unknown, code));
    assert_eq!(IN_DIRECT_MESSAGES, ["page.acknowledge", "page.escalate"]);
    let named = |name: &&&str| ACTIONS.iter().any(|(known, ..)| known == *name);
    assert_eq!(IN_DIRECT_MESSAGES.iter().filter(named).count(), 2);
    let in_server = desk.actor(desk.dana);
    assert!(
        chat::may_use(there, &in_server).await.is_ok(),
        "positive control"
    );
    let taken = paging::acknowledge(there, &in_server, &which, "chat").await;
    assert!(taken.is_ok(), "positive control: {taken:?}");
    desk.work().await;
    desk.end().await;
}

async fn next_now_calls_the_next(backend: Backend) {
    let (desk, number) = called(backend).await;
    assert!(direct(&desk, desk.erin).is_empty());
    let call = direct(&desk, desk.dana).remove(0).id;
    let button = "Can't take it: next now";
    let answer = desk.discord.press(desk.dana, call, button).await;
    assert!(answer.text().contains("comes next"), "{answer:?}");
    desk.work().await;
    assert_eq!(direct(&desk, desk.erin).len(), 1, "not in ten minutes: now");
    let again = desk.discord.press(desk.dana, call, button).await;
    assert!(again.text().contains("done already"), "{again:?}");
    let call = direct(&desk, desk.erin).remove(0).id;
    desk.discord.press(desk.erin, call, "Acknowledge").await;
    desk.work().await;
    assert_eq!(
        page(&desk, number).await.acknowledged_by.as_deref(),
        Some("staff:erin")
    );
    for message in calls(&desk, "support-fintech") {
        assert!(message.labels().is_empty(), "{}", message.text());
    }
    let (dana, call) = (desk.discord.person(desk.dana), direct(&desk, desk.dana));
    let stale = dana.press(call[0].id, button);
    assert!(stale.await.is_err(), "its buttons are gone");
    desk.end().await;
}

async fn a_page_is_handed_over_by_a_menu(backend: Backend) {
    let (desk, number) = called(backend).await;
    desk.hire("vera", Role::Viewer).await;
    let call = calls(&desk, "support-fintech").remove(0).id;
    let asked = desk.discord.press(desk.dana, call, "Hand over").await;
    assert!(asked.is_ephemeral());
    let menu = asked.message().expect("a menu is offered");
    let offered: Vec<&Value> = menu
        .controls()
        .flat_map(|one| one["options"].as_array().into_iter().flatten())
        .map(|option| &option["value"])
        .collect();
    assert_eq!(offered, ["erin"], "who can be reached and may take it");
    let done = desk
        .discord
        .select(desk.dana, menu.id, "Colleague", &["erin"])
        .await;
    assert!(done.text().contains("erin is called"), "{done:?}");
    desk.work().await;
    assert_eq!(direct(&desk, desk.erin).len(), 1);
    let before = desk.discord.message(call).expect("it stands");
    assert!(
        before.labels().is_empty() && before.text().contains("passed on"),
        "{}",
        before.text()
    );
    let call = direct(&desk, desk.erin).remove(0).id;
    desk.discord.press(desk.erin, call, "Acknowledge").await;
    desk.work().await;
    assert_eq!(
        page(&desk, number).await.acknowledged_by.as_deref(),
        Some("staff:erin")
    );
    desk.end().await;
}

async fn a_test_is_answered_by_its_button(backend: Backend) {
    let desk = GuildDesk::start(backend).await;
    let (there, me) = (&desk.test.desk, desk.actor(desk.dana));
    let added = channels::add(there, &me, "me", NewChannel::Direct, Some(true)).await;
    assert!(added.expect("it is added").proven_at.is_none());
    let test = paging::test_page(there, &me, "me")
        .await
        .expect("it is sent");
    assert_eq!(test.sent, ["direct"]);
    desk.work().await;
    let call = direct(&desk, desk.dana).remove(0);
    assert_eq!(call.labels(), ["Acknowledge"]);
    assert!(
        call.text().contains("can you be reached?"),
        "{}",
        call.text()
    );
    let answer = desk.discord.press(desk.dana, call.id, "Acknowledge").await;
    assert!(answer.text().contains("proven"), "{answer:?}");
    desk.work().await;
    let listed = channels::list(there, &owner(), "dana")
        .await
        .expect("they are listed");
    assert!(listed[0].proven_at.is_some());
    let now = desk.discord.message(call.id).expect("it stands");
    assert!(now.labels().is_empty(), "{}", now.text());
    desk.end().await;
}

async fn a_role_of_the_server_is_asked_for_in_direct_messages_too(backend: Backend) {
    let mut desk = GuildDesk::unconnected(backend).await;
    let key = desk.discord.add_role("tierdesk agent", 0);
    let roles = BTreeMap::from([(Role::Agent, DiscordId::new(key).expect("roles have ids"))]);
    desk.bot = make_bot(&desk.test.desk, &desk.discord, roles);
    let desk = desk.connect().await;
    desk.rota().await;
    desk.discord.set_roles(desk.dana, &[desk.staff_role]);
    let number = desk.sev1("john@acmefinance.com", "all is down").await;
    desk.pass(Duration::from_secs(5)).await;
    let call = direct(&desk, desk.dana).remove(0).id;
    let lacking = desk.discord.press(desk.dana, call, "Acknowledge").await;
    assert!(lacking.text().contains("server's role"), "{lacking:?}");
    assert_eq!(page(&desk, number).await.state, PageState::Open);
    desk.discord.set_roles(desk.dana, &[key, desk.staff_role]);
    let held = desk.discord.press(desk.dana, call, "Acknowledge").await;
    assert!(held.text().contains("You have"), "{held:?}");
    desk.work().await;
    desk.end().await;
}

async fn a_severity_that_wakes_nobody_ends_the_page(backend: Backend) {
    let (desk, number) = called(backend).await;
    let call = calls(&desk, "support-fintech").remove(0).id;
    let asked = desk.discord.press(desk.dana, call, "Severity").await;
    let menu = asked.message().expect("a menu is offered").id;
    let set = desk.discord.select(desk.dana, menu, "Severity", &["sev4"]);
    assert!(set.await.text().contains("sev4"));
    desk.pass(MINUTE * 15).await;
    assert!(
        direct(&desk, desk.erin).is_empty(),
        "nobody further is called"
    );
    let now = desk.test.ticket(number).await.ticket;
    assert_eq!(now.severity, tierdesk_core::tiers::Severity::Sev4);
    desk.end().await;
}

/// Each role presses each button of a page in the thread.
async fn the_buttons_of_a_page_are_as_the_table_says(backend: Backend) {
    let desk = GuildDesk::start(backend).await;
    desk.rota().await;
    let mut checked = 0;
    for role in Role::ALL {
        let user = desk.hire(&format!("the-{role}"), role).await;
        let number = desk.sev1("john@acmefinance.com", role.as_str()).await;
        desk.pass(Duration::from_secs(5)).await;
        let mut threads = desk.threads("support-fintech").into_iter();
        let thread = threads.find(|one| one.name.starts_with(&format!("{number} ")));
        let thread = thread.expect("it was posted").id;
        let mut messages = desk.discord.messages_in(thread).into_iter();
        let call = messages
            .find(|one| one.id != thread)
            .expect("somebody is called");
        for (button, action) in [
            ("Severity", "ticket.severity"),
            ("Hand over", "page.escalate"),
            ("Can't take it: next now", "page.escalate"),
            ("Acknowledge", "page.acknowledge"),
        ] {
            let (_, roles, _) = ACTIONS
                .iter()
                .find(|(name, ..)| *name == action)
                .expect("the action is in the table");
            let may = role == Role::Admin || roles.contains(&role);
            let answer = desk.discord.press(user, call.id, button).await;
            let is_refused = answer.text().contains("may not do");
            assert_eq!(is_refused, !may, "{role}: {button}: {answer:?}");
            checked += 1;
        }
        let which = Which::Ticket(number);
        let ended = paging::acknowledge(&desk.test.desk, &owner(), &which, "terminal").await;
        ended.expect("an admin may");
        desk.work().await;
    }
    println!(
        "{checked} of {} role and button pairs on pages",
        Role::ALL.len() * 4
    );
    assert_eq!(checked, Role::ALL.len() * 4);
    desk.end().await;
}
