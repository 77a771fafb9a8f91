//! Fixed replies: picked from a menu, looked at, sent by a button and taken back by another; never sent by one slip.

use std::{collections::BTreeMap, fmt::Write as _, sync::Arc, time::Duration};

use tierdesk_core::{
    customers::EmailAddress,
    desk::{
        chat::{self, Input},
        customers, macros, outbox,
        reply::{self, NewReply},
        staff::{self, StaffPatch},
        tickets,
        work_ticket::{self, NewTicketByHand},
    },
    macros::Macros,
    paging::PageState,
    staff::Role,
    tickets::{Status, TicketNumber},
    tiers::Catalogue,
};
use tierdesk_tests::{
    Backend, GuildDesk, Letter, SentMail,
    discord::{Answer, Message},
    make_bot, on_both, owner,
};

use super::pages::{calls, page};

on_both! {
    a_reply_is_picked_shown_and_sent,
    the_terminal_sends_the_same,
    a_double_click_sends_one_mail,
    a_reply_is_taken_back_until_it_leaves,
    what_a_colleague_wrote_is_not_taken_back,
    who_has_not_the_right_sends_nothing,
    a_ticket_with_nobody_to_answer_to_is_refused,
    an_imitated_domain_is_not_answered_from_chat,
    what_changed_since_it_was_shown_is_not_sent,
    for_whom_it_is_held_is_part_of_what_was_shown,
    only_so_many_are_offered_as_a_menu_takes,
    nothing_of_a_strict_ticket_is_shown,
    a_page_is_acknowledged_by_a_reply_below_it,
}

const FINTECH: &str = "support-fintech";

fn letter(id: &str) -> Letter {
    let letter = Letter::new("John Doe <john@acmefinance.com>", id).subject("Dashboard error");
    letter.body("It fails.")
}

/// A desk with John's ticket on it, posted.
async fn asked(backend: Backend) -> (GuildDesk, TicketNumber) {
    let desk = GuildDesk::answering(backend).await;
    let number = desk.test.receive_on(&letter("a")).await;
    desk.post().await;
    desk.mails().await;
    (desk, number)
}

/// The message that somebody alone sees.
fn own(answer: &Answer) -> Message {
    assert!(answer.is_ephemeral(), "{answer:?}");
    answer.message().expect("there is an answer")
}

/// The menu of the card in this channel.
async fn menu(desk: &GuildDesk, channel: &str) -> Message {
    let card = desk.card(channel).id;
    own(&desk.discord.press(desk.dana, card, "Reply…").await)
}

/// What choosing a reply from a menu shows.
async fn chosen(desk: &GuildDesk, menu: &Message, name: &str) -> Answer {
    let menu = menu.id;
    desk.discord.select(desk.dana, menu, "Reply", &[name]).await
}

/// What pressing a button below an answer leads to.
async fn pressed(desk: &GuildDesk, below: &Answer, button: &str) -> Answer {
    desk.discord.press(desk.dana, own(below).id, button).await
}

/// The mails that leave once nothing can be taken back any more.
async fn leaving(desk: &GuildDesk) -> Vec<SentMail> {
    desk.test.pass(Duration::from_secs(21));
    desk.mails().await
}

/// A desk whose program starts again with these macros.
async fn restart_with(desk: &mut GuildDesk, file: &str) {
    desk.stop_bot().await.expect("the bot ends well");
    let macros = Macros::parse(file, "macros.toml", &Catalogue::embedded());
    desk.test.desk.macros = Arc::new(macros.expect("they are right"));
    let bot = make_bot(&desk.test.desk, &desk.discord, BTreeMap::new());
    desk.restart(bot).await;
}

fn options(menu: &Message) -> Vec<(String, String)> {
    let control = menu.controls().next().expect("there is a menu");
    let options = control["options"].as_array().expect("it offers something");
    let text = |value: &serde_json::Value| value.as_str().unwrap_or_default().to_owned();
    options
        .iter()
        .map(|one| (text(&one["value"]), text(&one["label"])))
        .collect()
}

async fn a_reply_is_picked_shown_and_sent(backend: Backend) {
    let (desk, number) = asked(backend).await;
    let card = desk.card(FINTECH);
    let buttons = ["Take", "Severity", "Note", "Reply…", "Close"];
    assert_eq!(card.labels(), buttons);
    let menu = menu(&desk, FINTECH).await;
    let offered: Vec<String> = options(&menu).into_iter().map(|(name, _)| name).collect();
    assert_eq!(offered, ["looking", "key-in-mail", "resolved"]);
    let all = Macros::embedded().iter().len();
    assert!(all > offered.len(), "positive control: {all} there are");

    let draft = chosen(&desk, &menu, "key-in-mail").await;
    let text = draft.text();
    for shown in [
        "Your mail held a key",
        "one person",
        "waits for",
        "nothing was sent",
    ] {
        assert!(text.contains(shown), "{shown}: {text}");
    }
    assert!(
        text.contains("looks like a password") && !text.contains("John"),
        "{text}"
    );
    assert!(
        leaving(&desk).await.is_empty(),
        "looking at it sends nothing"
    );

    let sent = pressed(&desk, &draft, "Send").await;
    assert!(sent.text().contains("is answered"), "{sent:?}");
    assert!(desk.mails().await.is_empty(), "it can still be taken back");
    let mails = leaving(&desk).await;
    assert_eq!(mails.len(), 1);
    assert_eq!(mails[0].recipient, "john@acmefinance.com");
    assert!(
        mails[0].mail.text.starts_with("Hello John,\n"),
        "{}",
        mails[0].mail.text
    );
    let shown = desk.test.ticket(number).await.ticket;
    assert_eq!(shown.status, Status::WaitingCustomer);
    assert_eq!(shown.assignee.as_deref(), Some("dana"));
    assert!(
        shown.tags.contains(&"security".to_owned()),
        "{:?}",
        shown.tags
    );
    desk.post().await;
    assert!(desk.card(FINTECH).text().contains("Assignee: dana"));
    desk.end().await;
}

/// The same mail and the same line in the timeline, on a ticket like it.
async fn the_terminal_sends_the_same(backend: Backend) {
    let (desk, number) = asked(backend).await;
    let menu = menu(&desk, FINTECH).await;
    let draft = chosen(&desk, &menu, "key-in-mail").await;
    pressed(&desk, &draft, "Send").await;
    let mut mails = leaving(&desk).await;

    let other = desk.test.receive_on(&letter("b")).await;
    let actor = desk.actor(desk.dana);
    let nothing = BTreeMap::new();
    let filled = macros::fill(&desk.test.desk, &actor, other, "key-in-mail", &nothing).await;
    let filled = filled.expect("it is filled in");
    let new = NewReply {
        text: filled.text,
        then: filled.then.into(),
        tags: filled.tags,
        ..NewReply::default()
    };
    let replied = reply::reply(&desk.test.desk, &actor, other, new).await;
    replied.expect("it is answered");
    mails.extend(leaving(&desk).await);
    assert_eq!(mails.len(), 2);
    let like = |mail: &SentMail| {
        mail.mail
            .text
            .replace(&other.to_string(), &number.to_string())
    };
    assert_eq!(like(&mails[0]), like(&mails[1]));
    let events = async |number| {
        let history = tickets::history(&desk.test.desk, &owner(), number).await;
        let history = history.expect("it can be read").into_iter();
        let replied = history.filter(|event| event.kind == "replied");
        replied
            .map(|event| (event.actor, event.detail))
            .collect::<Vec<_>>()
    };
    assert_eq!(events(number).await, events(other).await);
    assert_eq!(events(number).await.len(), 1);
    desk.post().await;
    desk.end().await;
}

async fn a_double_click_sends_one_mail(backend: Backend) {
    let (desk, _) = asked(backend).await;
    let menu = menu(&desk, FINTECH).await;
    let draft = chosen(&desk, &menu, "looking").await;
    let another = chosen(&desk, &menu, "resolved").await;
    let (one, two) = tokio::join!(
        pressed(&desk, &draft, "Send"),
        pressed(&desk, &draft, "Send"),
    );
    let texts = [
        one.text(),
        two.text(),
        pressed(&desk, &draft, "Send").await.text(),
    ];
    let count = |words: &str| texts.iter().filter(|text| text.contains(words)).count();
    assert_eq!(
        (count("is answered"), count("done already")),
        (1, 2),
        "{texts:?}"
    );
    let late = pressed(&desk, &another, "Send").await.text();
    assert!(
        late.contains("has changed"),
        "shown before the other left: {late}"
    );
    assert_eq!(leaving(&desk).await.len(), 1);
    desk.post().await;
    desk.end().await;
}

async fn a_reply_is_taken_back_until_it_leaves(backend: Backend) {
    let (desk, number) = asked(backend).await;
    let before = desk.test.ticket(number).await.ticket;
    let menu_then = menu(&desk, FINTECH).await;
    let draft = chosen(&desk, &menu_then, "resolved").await;
    let sent = pressed(&desk, &draft, "Send").await;
    assert_eq!(
        desk.test.ticket(number).await.ticket.status,
        Status::Resolved
    );
    desk.test.pass(Duration::from_secs(19));
    let undone = pressed(&desk, &sent, "Undo").await;
    assert!(undone.text().contains("as it was before"), "{undone:?}");
    let after = desk.test.ticket(number).await.ticket;
    assert_eq!((after.status, after.assignee), (before.status, None));
    let again = pressed(&desk, &sent, "Undo").await.text();
    assert!(again.contains("done already"), "{again}");
    assert!(leaving(&desk).await.is_empty());
    desk.post().await;

    let menu_now = menu(&desk, FINTECH).await;
    let draft = chosen(&desk, &menu_now, "looking").await;
    let sent = pressed(&desk, &draft, "Send").await;
    assert_eq!(leaving(&desk).await.len(), 1, "positive control");
    let late = pressed(&desk, &sent, "Undo").await.text();
    assert!(late.contains("has left"), "{late}");
    desk.post().await;
    desk.end().await;
}

async fn what_a_colleague_wrote_is_not_taken_back(backend: Backend) {
    let (desk, number) = asked(backend).await;
    let menu = menu(&desk, FINTECH).await;
    let draft = chosen(&desk, &menu, "looking").await;
    let sent = pressed(&desk, &draft, "Send").await;
    desk.test.pass(Duration::from_secs(1));
    let new = NewReply {
        text: "It was the cache.".to_owned(),
        ..NewReply::default()
    };
    let theirs = reply::reply(&desk.test.desk, &desk.actor(desk.erin), number, new).await;
    theirs.expect("a colleague answers");
    let undone = pressed(&desk, &sent, "Undo").await.text();
    assert!(undone.contains("not the last one"), "{undone}");
    assert_eq!(leaving(&desk).await.len(), 2);
    desk.post().await;
    desk.end().await;
}

async fn who_has_not_the_right_sends_nothing(backend: Backend) {
    let (desk, _) = asked(backend).await;
    let viewer = desk.hire("vera", Role::Viewer).await;
    let card = desk.card(FINTECH).id;
    let refused = desk.discord.press(viewer, card, "Reply…").await;
    assert!(refused.text().contains("may not"), "{refused:?}");
    let menu = menu(&desk, FINTECH).await;
    let draft = chosen(&desk, &menu, "looking").await;
    let handle = |message: &Message| {
        let control = message.controls().next().expect("it has a control");
        let id = control["custom_id"].as_str().expect("it has an id");
        id.strip_prefix("td:").expect("it is ours").to_owned()
    };
    // Nobody else sees these; whoever learned what stands in them could not use it either.
    let erin = desk.actor(desk.erin);
    let name = Input::Choice("looking".to_owned());
    for (handle, input) in [(handle(&menu), name), (handle(&own(&draft)), Input::None)] {
        let stolen = chat::press(&desk.test.desk, &erin, &handle, input).await;
        let stolen = stolen.expect_err("it is not theirs").to_string();
        assert!(stolen.contains("somebody else"), "{stolen}");
    }
    let mut patch = StaffPatch {
        role: Some(Role::Viewer),
        ..StaffPatch::default()
    };
    for (role, says) in [(Role::Viewer, "may not"), (Role::Agent, "is answered")] {
        patch.role = Some(role);
        staff::set(&desk.test.desk, &owner(), "dana", patch.clone())
            .await
            .expect("an admin may");
        let sent = pressed(&desk, &draft, "Send").await;
        assert!(sent.text().contains(says), "{role}: {sent:?}");
    }
    assert_eq!(leaving(&desk).await.len(), 1);
    desk.post().await;
    desk.end().await;
}

/// A colleague opened it; who it is for was added, and taken out again.
async fn a_ticket_with_nobody_to_answer_to_is_refused(backend: Backend) {
    let desk = GuildDesk::answering(backend).await;
    let (there, actor) = (&desk.test.desk, owner());
    let by_hand = NewTicketByHand {
        customer: "acme-finance".to_owned(),
        requester: None,
        subject: "They called".to_owned(),
        severity: None,
        text: None,
    };
    let opened = work_ticket::open(there, &actor, by_hand).await;
    let number = opened.expect("an admin opens it").number;
    desk.post().await;
    let card = desk.card(FINTECH).id;
    let alone = desk.discord.press(desk.dana, card, "Reply…").await;

    let john: EmailAddress = "john@acmefinance.com".parse().expect("an address");
    let added = work_ticket::add_participant(there, &actor, number, john.clone(), None).await;
    added.expect("an admin may");
    desk.post().await;
    let menu = menu(&desk, FINTECH).await;
    assert_eq!(options(&menu).len(), 3, "positive control");
    let draft = chosen(&desk, &menu, "looking").await;
    assert!(draft.text().contains("one person"), "{draft:?}");
    let removed = work_ticket::remove_participant(there, &actor, number, &john).await;
    removed.expect("an admin may");
    let gone = chosen(&desk, &menu, "looking").await;
    for refused in [alone, gone] {
        let text = refused.text();
        assert!(text.contains("nobody to answer to"), "{text}");
        assert!(text.contains("tierdesk ticket reply"), "what to do: {text}");
        assert!(!text.contains("john"), "{text}");
    }
    let stale = pressed(&desk, &draft, "Send").await.text();
    assert!(stale.contains("has changed"), "{stale}");
    assert!(leaving(&desk).await.is_empty());
    desk.post().await;
    desk.end().await;
}

/// Triage offers replies too, but none to whom something speaks against; chat is not told whom they imitate.
async fn an_imitated_domain_is_not_answered_from_chat(backend: Backend) {
    const TRIAGE: &str = "support-triage";
    let desk = GuildDesk::answering(backend).await;
    let by = |from: &str| Letter::new(from, from);
    desk.test.receive_on(&by("somebody@unknown.example")).await;
    desk.post().await;
    let card = desk.card(TRIAGE).id;
    let offered = own(&desk.discord.press(desk.dana, card, "Reply…").await);
    assert_eq!(options(&offered).len(), 3, "positive control");

    let letter = by("john@acmefinnance.com");
    desk.test.receive_on(&letter).await;
    desk.post().await;
    let mut threads = desk.threads(TRIAGE);
    threads.retain(|thread| thread.id != card);
    let refused = desk.discord.press(desk.dana, threads[0].id, "Reply…").await;
    let text = refused.text();
    assert!(text.contains("something speaks against"), "{text}");
    assert!(!text.to_lowercase().contains("acme"), "{text}");
    desk.mails().await;
    desk.end().await;
}

async fn what_changed_since_it_was_shown_is_not_sent(backend: Backend) {
    let (mut desk, number) = asked(backend).await;
    let own_file = |text: &str| {
        format!("[[macro]]\nname = 'own'\ntitle = 'Own'\nfixed = true\ntext = '{text}'\n")
    };
    restart_with(&mut desk, &own_file("One")).await;
    let menu_then = menu(&desk, FINTECH).await;
    let draft = chosen(&desk, &menu_then, "own").await;

    restart_with(&mut desk, &own_file("Two")).await;
    let refused = pressed(&desk, &draft, "Send").await.text();
    assert!(
        refused.contains("not what was shown"),
        "another text: {refused}"
    );
    restart_with(&mut desk, &own_file("One")).await;
    work_ticket::set_status(&desk.test.desk, &owner(), number, Status::OnHold)
        .await
        .expect("an admin may");
    let refused = pressed(&desk, &draft, "Send").await.text();
    assert!(refused.contains("has changed"), "another ticket: {refused}");

    let other_tier = format!("{}tiers = ['standard']\n", own_file("One"));
    restart_with(&mut desk, &other_tier).await;
    let refused = chosen(&desk, &menu_then, "own").await.text();
    assert!(
        refused.contains("no such reply"),
        "not for this tier: {refused}"
    );
    restart_with(&mut desk, "").await;
    let refused = chosen(&desk, &menu_then, "own").await.text();
    assert!(refused.contains("no such reply"), "it is gone: {refused}");
    let card = desk.card(FINTECH).id;
    let refused = desk.discord.press(desk.dana, card, "Reply…").await.text();
    assert!(refused.contains("no reply can be picked"), "{refused}");

    restart_with(&mut desk, &own_file("One")).await;
    let draft = chosen(&desk, &menu_then, "own").await;
    let sent = pressed(&desk, &draft, "Send").await.text();
    assert!(sent.contains("is answered"), "positive control: {sent}");
    let mails = leaving(&desk).await;
    assert_eq!(mails.len(), 1);
    assert!(
        mails[0].mail.text.starts_with("One"),
        "{}",
        mails[0].mail.text
    );
    desk.post().await;
    desk.end().await;
}

/// No version of the ticket tells that somebody vouched for their server meanwhile.
async fn for_whom_it_is_held_is_part_of_what_was_shown(backend: Backend) {
    const HEALTHCARE: &str = "support-healthcare";
    let desk = GuildDesk::answering(backend).await;
    let letter = Letter::new("admin@medicorp.com", "a");
    desk.test.receive_on(&letter).await;
    desk.post().await;
    let menu = menu(&desk, HEALTHCARE).await;
    let held = chosen(&desk, &menu, "looking").await;
    assert!(held.text().contains("Held back"), "{held:?}");
    let domain = vec!["medicorp.com".parse().expect("a domain")];
    customers::attest_tls(&desk.test.desk, &owner(), "medicorp", domain, true)
        .await
        .expect("it is attested");
    let refused = pressed(&desk, &held, "Send").await.text();
    assert!(refused.contains("not what was shown"), "{refused}");
    let free = chosen(&desk, &menu, "looking").await;
    assert!(!free.text().contains("Held back"), "{free:?}");
    let sent = pressed(&desk, &free, "Send").await;
    assert!(sent.text().contains("leaves"), "{sent:?}");
    assert_eq!(leaving(&desk).await.len(), 1);
    desk.post().await;
    desk.end().await;
}

async fn only_so_many_are_offered_as_a_menu_takes(backend: Backend) {
    let (mut desk, number) = asked(backend).await;
    let mut file = String::new();
    for count in 1..=30 {
        let _ = writeln!(
            file,
            "[[macro]]\nname = 'm-{count}'\ntitle = '{}'\nfixed = true\ntext = 'x'\n",
            format!("@everyone {count} ").repeat(20)
        );
    }
    restart_with(&mut desk, &file).await;
    let menu = menu(&desk, FINTECH).await;
    let offered = options(&menu);
    assert_eq!(offered.len(), 25);
    assert!(
        offered
            .iter()
            .all(|(_, label)| label.chars().count() == 100),
        "{offered:?}"
    );
    assert!(
        menu.text().contains("no room for 5 more"),
        "{}",
        menu.text()
    );
    let hint = format!("tierdesk ticket macros {number}");
    assert!(menu.text().contains(&hint), "{}", menu.text());
    let draft = chosen(&desk, &menu, "m-25").await;
    assert!(draft.text().contains("nothing was sent"), "{draft:?}");
    desk.end().await;
}

/// A name and a customer that stand in the mail and, for the strict tiers, nowhere else.
async fn nothing_of_a_strict_ticket_is_shown(backend: Backend) {
    const NAME: &str = "Quartzcanary";
    let mut desk = GuildDesk::answering(backend).await;
    restart_with(
        &mut desk,
        "[[macro]]\nname = 'own'\ntitle = 'Greetings'\nfixed = true\n\
         text = 'Dear {{ name }} of {{ customer }}, this is {{ author }} about {{ number }}.'\n",
    )
    .await;
    let mut checked = 0;
    for (domain, slug, channel, customer) in [
        ("techgov.gov", "techgov", "support-gov-federal", "TechGov"),
        ("medicorp.com", "medicorp", "support-healthcare", "MediCorp"),
        ("acmefinance.com", "acme-finance", FINTECH, "ACME"),
    ] {
        let before = desk.discord.requests().len();
        let from = format!("{NAME} <{NAME}@{domain}>");
        let letter = Letter::new(&from, slug).subject("About");
        let number = desk.test.receive_on(&letter).await;
        desk.post().await;
        let menu = menu(&desk, channel).await;
        let draft = chosen(&desk, &menu, "own").await;
        let is_strict = channel != FINTECH;
        for shown in ["Greetings", "one person", &number.to_string()] {
            assert!(draft.text().contains(shown), "{shown}: {draft:?}");
        }
        assert_eq!(draft.text().contains("Held back"), is_strict, "{draft:?}");
        let sent = pressed(&desk, &draft, "Send").await;
        assert!(sent.text().contains("is answered"), "{sent:?}");
        let mut mails = leaving(&desk).await;
        if is_strict {
            assert!(mails.is_empty(), "held");
            let listed = outbox::Listed::default();
            let held = outbox::list(&desk.test.desk, &owner(), listed, 10).await;
            let held = held.expect("they are listed");
            outbox::release(&desk.test.desk, &owner(), held[0].id)
                .await
                .expect("it is let go");
            mails = desk.mails().await;
        }
        assert_eq!(mails.len(), 1);
        let text = &mails[0].mail.text;
        assert!(
            text.contains(NAME) && text.contains(customer),
            "the mail has both: {text}"
        );
        desk.post().await;
        let requests = desk.discord.requests();
        let requests = requests[before..].iter();
        let all: String = requests
            .map(|request| format!("{} {}\n", request.path, request.body).to_lowercase())
            .collect();
        assert!(
            all.contains("greetings"),
            "positive control: the preview is among them"
        );
        assert!(!all.contains(&NAME.to_lowercase()), "{channel}: {all}");
        // At `alias` nobody is named, and from `metadata` on the customer is.
        let is_named = domain != "techgov.gov";
        assert_eq!(
            all.contains(&customer.to_lowercase()),
            is_named,
            "{channel}"
        );
        let by_whom = draft.text().contains("dana");
        assert_eq!(by_whom, is_named, "{draft:?}");
        checked += 1;
    }
    assert_eq!(checked, 3);
    shows_all_where_it_may(&mut desk, NAME).await;
    desk.end().await;
}

/// The control: where everything may be shown, the preview has the name and the address.
async fn shows_all_where_it_may(desk: &mut GuildDesk, name: &str) {
    desk.stop_bot().await.expect("the bot ends well");
    let shows_all =
        Catalogue::EMBEDDED.replace("disclosure = \"excerpt\"", "disclosure = \"full\"");
    let catalogue = Catalogue::parse(&shows_all, "tiers.toml").expect("it is a catalogue");
    desk.test.desk.catalogue = Arc::new(catalogue);
    let bot = make_bot(&desk.test.desk, &desk.discord, BTreeMap::new());
    desk.restart(bot).await;
    let letter = Letter::new(&format!("{name} <ops@startupcorp.io>"), "full");
    desk.test.receive_on(&letter).await;
    desk.post().await;
    let menu = menu(desk, "support-standard").await;
    let draft = chosen(desk, &menu, "own").await.text();
    assert!(
        draft.contains(name) && draft.contains("StartupCorp"),
        "{draft}"
    );
    assert!(draft.contains("startupcorp.io"), "{draft}");
}

async fn a_page_is_acknowledged_by_a_reply_below_it(backend: Backend) {
    let desk = GuildDesk::answering(backend).await;
    desk.rota().await;
    let number = desk.sev1("john@acmefinance.com", "all is down").await;
    desk.pass(Duration::from_secs(5)).await;
    desk.mails().await;
    let call = calls(&desk, FINTECH).remove(0);
    assert_eq!(
        call.labels().last().map(String::as_str),
        Some("Reply…"),
        "{call:?}"
    );
    let answer = desk.discord.press(desk.dana, call.id, "Reply…").await;
    let draft = chosen(&desk, &own(&answer), "looking").await;
    assert_eq!(
        page(&desk, number).await.state,
        PageState::Open,
        "not by looking"
    );
    let sent = pressed(&desk, &draft, "Send").await;
    assert!(sent.text().contains("is answered"), "{sent:?}");
    assert_eq!(page(&desk, number).await.state, PageState::Acknowledged);
    desk.work().await;
    let mails = leaving(&desk).await;
    assert_eq!(mails.len(), 1);
    assert!(mails[0].mail.text.contains("We are looking into it"));
    desk.work().await;
    desk.end().await;
}
