//! Who may do what in chat is as the table of rights says, for each command, button and list of
//! choices, and each role; and for nobody who is not on the staff, or not in our server.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};
use tierdesk_core::{
    desk::{
        onboard::{self, PlanRequest},
        staff::{self, StaffPatch},
    },
    discord::{DiscordId, Member},
    permit::{ACTIONS, Actor},
    staff::{Role, StaffStatus},
};
use tierdesk_tests::{
    Backend, GuildDesk, Letter, TestDesk, discord::Answer, make_bot, on_both, owner,
};

on_both! {
    commands_and_buttons_are_as_the_table_says,
    strangers_and_the_disabled_are_told_why_not,
    a_role_of_the_server_is_a_second_lock,
    another_server_is_refused,
}

/// A command without a line in [`commands`] is a command whose rights nobody looks at.
#[tokio::test]
async fn no_command_is_left_out() {
    let test = TestDesk::new(Backend::Sqlite).await;
    let definitions = tierdesk_bot::commands::definitions(&test.desk);
    let mut there = BTreeSet::new();
    for command in definitions.as_array().expect("a list") {
        let name = command["name"].as_str().expect("a name");
        let options = command["options"].as_array().cloned().unwrap_or_default();
        let verbs: Vec<_> = options.iter().filter(|one| one["type"] == 1).collect();
        if verbs.is_empty() {
            there.insert(name.to_owned());
        }
        for verb in verbs {
            there.insert(format!("{name} {}", verb["name"].as_str().expect("a name")));
        }
    }
    let looked_at: BTreeSet<String> = commands("SB-1", "")
        .into_iter()
        .map(|(command, ..)| command.to_owned())
        .collect();
    assert_eq!(there, looked_at);
}

fn is_refused(answer: &Answer) -> bool {
    let text = answer.text();
    text.contains("Not done") && (text.contains("may not do") || text.contains("may not"))
}

/// Whether the table lets this role do this action.
fn may(role: Role, action: &str) -> bool {
    let (_, roles, _) = ACTIONS
        .iter()
        .find(|(name, ..)| *name == action)
        .expect("the action is in the table");
    role == Role::Admin || roles.contains(&role)
}

/// Commands, what they need, and the right that each asks for.
fn commands(ticket: &str, run: &str) -> Vec<(&'static str, Value, &'static str)> {
    vec![
        ("customer show", json!({ "who": "acme" }), "desk.read"),
        ("customer list", json!({}), "desk.read"),
        ("customer search", json!({ "words": "acme" }), "desk.read"),
        ("ticket list", json!({}), "desk.read"),
        ("ticket show", json!({ "ticket": ticket }), "desk.read"),
        (
            "ticket note",
            json!({ "ticket": ticket, "text": "x" }),
            "ticket.note",
        ),
        (
            "ticket status",
            json!({ "ticket": ticket, "status": "on-hold" }),
            "ticket.status",
        ),
        (
            "ticket bind",
            json!({ "ticket": ticket, "customer": "acme" }),
            "ticket.bind",
        ),
        ("ticket take", json!({ "ticket": ticket }), "ticket.assign"),
        ("ticket close", json!({ "ticket": ticket }), "ticket.close"),
        ("help", json!({}), "chat.use"),
        // Refused for what is asked, where not for who asks.
        (
            "onboard plan",
            json!({ "name": "Another", "tier": "fintech", "contact": "x@acmefinance.com",
                "domain": "acmefinance.com" }),
            "onboarding.plan",
        ),
        ("onboard start", json!({ "run": run }), "onboarding.start"),
        (
            "onboard approve",
            json!({ "run": run }),
            "onboarding.approve",
        ),
        ("onboard resume", json!({ "run": run }), "onboarding.start"),
        ("onboard status", json!({ "run": run }), "desk.read"),
        ("onboard list", json!({}), "desk.read"),
        ("oncall now", json!({}), "oncall.read"),
        ("oncall pages", json!({}), "desk.read"),
        // Refused for want of a page, where not for who asks.
        (
            "oncall ack",
            json!({ "ticket": ticket }),
            "page.acknowledge",
        ),
    ]
}

/// An onboarding whose plan nobody makes: everybody who may act on it is refused for where it stands.
async fn planning(desk: &GuildDesk) -> String {
    let request = PlanRequest {
        name: "New Shop".to_owned(),
        tier: "standard".parse().expect("a tier"),
        contact: "ops@newshop.example".parse().expect("an address"),
        domain: "newshop.example".parse().expect("a domain"),
        prefix: None,
        chat_channel: None,
    };
    let planned = onboard::plan(&desk.test.desk, &owner(), request).await;
    let run = planned.expect("an admin plans").run;
    let gone: Vec<(String,)> = desk
        .test
        .look("DELETE FROM jobs WHERE kind = 'observe_cloud' RETURNING kind")
        .await;
    assert_eq!(gone.len(), 1, "there is no worker for it here");
    run
}

async fn commands_and_buttons_are_as_the_table_says(backend: Backend) {
    let desk = GuildDesk::answering(backend).await;
    let run = planning(&desk).await;
    let mut checked = 0;
    for role in Role::ALL {
        let user = desk.hire(&format!("the-{role}"), role).await;
        let letter = Letter::new("john@acmefinance.com", role.as_str());
        let number = desk.test.receive_on(&letter).await.to_string();
        desk.post().await;
        let thread = desk
            .threads("support-fintech")
            .into_iter()
            .find(|thread| thread.name.starts_with(&format!("{number} ")));
        let card = thread.expect("it was posted").id;
        for (button, action) in [
            ("Severity", "ticket.severity"),
            ("Note", "ticket.note"),
            ("Close", "ticket.close"),
            ("Reply…", "ticket.reply"),
            ("Take", "ticket.assign"),
        ] {
            let answer = desk.discord.press(user, card, button).await;
            assert_eq!(
                is_refused(&answer),
                !may(role, action),
                "{role}: {button}: {answer:?}"
            );
            checked += 1;
        }
        for (command, options, action) in commands(&number, &run) {
            let answer = desk.discord.command(user, command, options).await;
            assert_eq!(
                is_refused(&answer),
                !may(role, action),
                "{role}: {command}: {answer:?}"
            );
            assert!(answer.is_ephemeral(), "{role}: {command}");
            checked += 1;
        }
        for (command, option) in [
            ("customer show", "who"),
            ("ticket show", "ticket"),
            ("ticket bind", "customer"),
        ] {
            let choices = desk.discord.autocomplete(user, command, option, "").await;
            assert_eq!(
                !choices.is_empty(),
                may(role, "desk.read"),
                "{role}: {command}"
            );
            checked += 1;
        }
        desk.post().await;
    }
    let each = 5 + commands("", "").len() + 3;
    println!(
        "{checked} of {} role and action pairs in chat",
        Role::ALL.len() * each
    );
    assert_eq!(checked, Role::ALL.len() * each);
    desk.mails().await;
    desk.end().await;
}

async fn strangers_and_the_disabled_are_told_why_not(backend: Backend) {
    let desk = GuildDesk::answering(backend).await;
    let run = planning(&desk).await;
    let number = desk
        .test
        .receive_on(&Letter::new("john@acmefinance.com", "a"))
        .await
        .to_string();
    desk.post().await;
    let card = desk.card("support-fintech").id;
    let stranger = desk.discord.add_member("stranger", &[]);
    let erin = StaffPatch {
        status: Some(StaffStatus::Disabled),
        ..StaffPatch::default()
    };
    staff::set(&desk.test.desk, &owner(), "erin", erin)
        .await
        .expect("an admin may");
    for (user, why) in [
        (stranger, "tierdesk staff link"),
        (desk.erin, "enable you again"),
    ] {
        for (command, options, _) in commands(&number, &run) {
            let answer = desk.discord.command(user, command, options).await;
            assert!(
                is_refused(&answer) && answer.text().contains(why),
                "{command}: {answer:?}"
            );
        }
        for button in ["Take", "Severity", "Note", "Reply…", "Close"] {
            let answer = desk.discord.press(user, card, button).await;
            assert!(
                is_refused(&answer) && answer.text().contains(why),
                "{button}: {answer:?}"
            );
        }
        let choices = desk
            .discord
            .autocomplete(user, "customer show", "who", "acme")
            .await;
        assert!(choices.is_empty(), "names are not given away");
    }
    let known = desk
        .discord
        .autocomplete(desk.dana, "customer show", "who", "acme")
        .await;
    assert_eq!(known.len(), 1, "positive control");
    desk.mails().await;
    desk.end().await;
}

async fn a_role_of_the_server_is_a_second_lock(backend: Backend) {
    let mut desk = GuildDesk::unconnected(backend).await;
    let key = desk.discord.add_role("tierdesk agent", 0);
    let roles = BTreeMap::from([(Role::Agent, DiscordId::new(key).expect("roles have ids"))]);
    desk.bot = make_bot(&desk.test.desk, &desk.discord, roles);
    let desk = desk.connect().await;
    desk.discord.set_roles(desk.dana, &[key, desk.staff_role]);
    let held = desk
        .discord
        .command(desk.dana, "customer list", json!({}))
        .await;
    assert!(!is_refused(&held), "{held:?}");
    let lacking = desk
        .discord
        .command(desk.erin, "customer list", json!({}))
        .await;
    assert!(
        is_refused(&lacking) && lacking.text().contains("server's role"),
        "{lacking:?}"
    );
    let stranger = desk.discord.add_member("stranger", &[key]);
    let gains = desk
        .discord
        .command(stranger, "customer list", json!({}))
        .await;
    assert!(
        is_refused(&gains),
        "a role of the server alone gives nothing: {gains:?}"
    );
    desk.end().await;
}

async fn another_server_is_refused(backend: Backend) {
    let desk = GuildDesk::unconnected(backend).await;
    let ours = desk.bot.guild.id;
    let user = DiscordId::new(desk.dana).expect("users have ids");
    for (guild, may) in [
        (Some(ours), true),
        (DiscordId::new(7), false),
        (None, false),
    ] {
        let member = Member::new(ours, &BTreeMap::new(), guild, user, &[]);
        let actor = Actor::Discord(member);
        let asked = tierdesk_core::desk::chat::may_use(&desk.test.desk, &actor).await;
        assert_eq!(asked.is_ok(), may, "{guild:?}");
    }
}
