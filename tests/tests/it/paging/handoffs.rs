//! Whoever comes on call, goes off it, or will soon, is told so, and so is whoever's shift somebody else had change
//! hands. Nobody is woken by it. The numbers are of the threads in which users of other tools asked for it.

use std::{fs, path::PathBuf, time::Duration};

use tierdesk_core::{
    desk::{
        Error,
        oncall::{self, NewOverride, Offer, Place, Taking},
        paging::channels::{self, NewChannel, WebhookSecret},
    },
    oncall::Layer,
    paging::Channel,
};
use tierdesk_tests::{Backend, PageDesk, Program, ROTA, Told, WebhookSink, login, on_both, owner};

use super::{killed_at, program, until};

on_both! {
    goalert_583_both_sides_of_a_handoff_are_told_once,
    goalert_4190_a_shift_is_told_of_a_day_before,
    oncall_3096_handoffs_say_who_really_has_it,
    oncall_2868_whose_shift_changed_hands_is_told,
    after_an_outage_what_is_so_now_is_told,
    nobody_is_woken_to_be_told,
    a_schedule_that_is_removed_is_nobodys_shift,
    serve_tells_it_by_mail,
    what_is_past_is_not_taken_back,
    whom_nothing_changes_for_is_told_nothing,
    a_second_is_told_how_to_give_it_away,
    kills_lose_none_and_tell_none_twice,
}

const DAY: Duration = Duration::from_hours(24);
/// The desk begins on a Monday at nine; shifts change on Mondays at midnight.
const TO_MONDAY: Duration = Duration::from_hours(6 * 24 + 15);
const TO_SUNDAY: Duration = Duration::from_hours(5 * 24 + 15);
const SECOND: Duration = Duration::from_secs(1);

/// Three who take turns, by one schedule; nobody is second.
const THREE: &str = r#"
[[schedule]]
slug = "fintech"
zone = "Europe/Berlin"
[[schedule.rotation]]
layer = "primary"
people = ["ada", "ben", "pia"]
every = "1 week"
starts = "2026-11-16 01:00"
"#;

async fn three(backend: Backend) -> PageDesk {
    let desk = PageDesk::start(backend).await;
    for slug in ["gov-federal", "healthcare", "standard"] {
        desk.rota(&THREE.replace("fintech", slug)).await;
    }
    desk.rota(THREE).await;
    for role in ["platform-lead", "security-lead", "engineering-director"] {
        oncall::remove_schedule(desk.desk(), &owner(), role)
            .await
            .expect("it is removed");
    }
    tell(&desk).await;
    let begun = desk.told();
    assert_eq!(begun.len(), 1, "ben is on call by all four: {begun:#?}");
    desk
}

/// Tells people, and hands over what they are told.
async fn tell(desk: &PageDesk) -> usize {
    let count = oncall::tell_handoffs(desk.desk())
        .await
        .expect("it is looked");
    desk.work().await;
    count
}

fn of<'t>(told: &'t [Told], who: &str) -> Vec<&'t Told> {
    told.iter().filter(|one| one.who == who).collect()
}

/// The only thing that somebody was told: its title and its lines.
fn only<'t>(told: &'t [Told], who: &str) -> (&'t str, String) {
    let found = of(told, who);
    assert_eq!(found.len(), 1, "{who}: {told:#?}");
    (&found[0].title, found[0].lines.join("\n"))
}

fn place() -> Place {
    Place::Schedule("fintech".to_owned())
}

async fn goalert_583_both_sides_of_a_handoff_are_told_once(backend: Backend) {
    let desk = PageDesk::start(backend).await;
    assert_eq!(tell(&desk).await, 5, "everybody is something");
    let told = desk.told();
    let (title, lines) = only(&told, "ben");
    assert_eq!(
        title,
        "You are on call now: fintech (primary); gov-federal (primary); healthcare (primary); standard (primary)"
    );
    assert!(
        lines.contains("fintech (primary): yours until Mon 2026-11-30 00:00 UTC."),
        "{lines}"
    );
    assert_eq!(
        only(&told, "pia").0,
        "You are on call now: platform-lead (primary)"
    );
    assert!(told.iter().all(|one| one.channel == Channel::Mail));
    assert_eq!(tell(&desk).await, 0, "once");

    desk.mail.test.pass(TO_MONDAY.abs_diff(SECOND));
    assert_eq!(tell(&desk).await, 0, "a second before");
    desk.mail.test.pass(SECOND);
    let all = futures_util::future::join_all((0..6).map(|_| oncall::tell_handoffs(desk.desk())));
    let counts: Vec<usize> = all
        .await
        .into_iter()
        .map(|one| one.expect("it is looked"))
        .collect();
    assert_eq!(counts.iter().sum::<usize>(), 2, "six at once: {counts:?}");
    desk.work().await;
    let told = desk.told();
    assert_eq!(told.len(), 2, "{told:#?}");
    let (title, lines) = only(&told, "ada");
    assert!(
        title.starts_with("You are on call now: fintech (primary); gov-federal"),
        "{title}"
    );
    assert!(
        lines.contains("fintech (primary): yours until Mon 2026-12-07 00:00 UTC. It was ben's."),
        "{lines}"
    );
    assert!(
        lines.contains("fintech (secondary): ben has it now."),
        "{lines}"
    );
    let (_, lines) = only(&told, "ben");
    assert!(
        lines.contains("fintech (primary): ada has it now."),
        "{lines}"
    );
    desk.is_healthy().await;
}

async fn goalert_4190_a_shift_is_told_of_a_day_before(backend: Backend) {
    let desk = three(backend).await;
    desk.mail.test.pass(TO_SUNDAY.abs_diff(SECOND));
    assert_eq!(tell(&desk).await, 0, "more than a day before");
    desk.mail.test.pass(Duration::from_secs(2));
    assert_eq!(tell(&desk).await, 1);
    let told = desk.told();
    let (title, lines) = only(&told, "pia");
    assert!(
        title.starts_with("Your shift begins soon: fintech (primary)"),
        "{title}"
    );
    for shown in [
        "from Mon 2026-11-30 01:00 CET, until Mon 2026-12-07 01:00 CET. It is ben's before.",
        "tierdesk oncall swap offer --schedule fintech --from 2026-11-30T00:00:00Z",
    ] {
        assert!(lines.contains(shown), "{shown}: {lines}");
    }
    desk.mail.test.pass(Duration::from_mins(10));
    assert_eq!(tell(&desk).await, 0, "once");
    // Where nobody could be told for hours, it is told late.
    let late = three(backend).await;
    late.mail.test.pass(TO_SUNDAY + Duration::from_hours(20));
    assert_eq!(tell(&late).await, 1);
    let told = late.told();
    let (title, _) = only(&told, "pia");
    assert!(title.starts_with("Your shift begins soon"), "{title}");
}

async fn oncall_3096_handoffs_say_who_really_has_it(backend: Backend) {
    let desk = three(backend).await;
    let offer = Offer {
        place: place(),
        layer: Layer::Primary,
        from: "2026-11-30 01:00".to_owned(),
        to: None,
        reason: None,
        whose: None,
    };
    let offered = oncall::offer(desk.desk(), &login("pia"), offer).await;
    let offered = Taking::Offered(offered.expect("it is offered").id);
    oncall::take(desk.desk(), &login("sid"), offered, None)
        .await
        .expect("it is taken");
    desk.work().await;
    desk.told();
    desk.mail.test.pass(TO_MONDAY);
    assert_eq!(tell(&desk).await, 3);
    let told = desk.told();
    let (title, _) = only(&told, "sid");
    assert_eq!(title, "You are on call now: fintech (primary)");
    let (_, lines) = only(&told, "ben");
    assert!(
        lines.contains("fintech (primary): sid has it now."),
        "{lines}"
    );
    assert!(
        lines.contains("standard (primary): pia has it now."),
        "{lines}"
    );
    let (title, _) = only(&told, "pia");
    assert!(!title.contains("fintech"), "it is not hers: {title}");
}

async fn oncall_2868_whose_shift_changed_hands_is_told(backend: Backend) {
    let desk = three(backend).await;
    let unasked = || Taking::Unasked {
        place: place(),
        layer: Layer::Primary,
        from: "2026-11-24 09:00".to_owned(),
        to: None,
        reason: "ben has lost his phone".to_owned(),
    };
    let taken = oncall::take(desk.desk(), &login("sid"), unasked(), None).await;
    let taken = taken.expect("it is taken");
    desk.work().await;
    let told = desk.told();
    let (title, lines) = only(&told, "ben");
    assert_eq!(title, "sid has taken a shift of yours");
    assert_eq!(
        lines, "fintech (primary), Tue 2026-11-24 09:00 CET to Mon 2026-11-30 01:00 CET.",
        "without the reason"
    );
    assert_eq!(told.len(), 1, "whoever does it knows: {told:#?}");

    oncall::give_back(desk.desk(), &login("sid"), taken.id)
        .await
        .expect("it is given back");
    desk.work().await;
    let told = desk.told();
    assert_eq!(only(&told, "ben").0, "sid has given a shift of yours back");
    assert_eq!(told.len(), 1, "{told:#?}");

    // A lead arranges it: both are told.
    oncall::take(desk.desk(), &owner(), unasked(), Some("sid"))
        .await
        .expect("it is arranged");
    desk.work().await;
    let told = desk.told();
    assert_eq!(only(&told, "ben").0, "sid has taken a shift of yours");
    assert_eq!(only(&told, "sid").0, "A shift of ben is yours now");

    let new = NewOverride {
        place: place(),
        who: "eve".to_owned(),
        from: "2026-12-24 09:00".to_owned(),
        to: "2026-12-25 09:00".to_owned(),
        reason: "everybody else has children".to_owned(),
        layer: Layer::Primary,
    };
    let made = oncall::set_override(desk.desk(), &owner(), new).await;
    let made = made.expect("it is made");
    desk.work().await;
    let told = desk.told();
    let (title, lines) = only(&told, "eve");
    assert_eq!(title, "You are put on call");
    assert!(lines.contains("Thu 2026-12-24 09:00 CET"), "{lines}");
    assert_eq!(only(&told, "pia").0, "eve is on call in your place");
    assert_eq!(told.len(), 2, "{told:#?}");
    oncall::remove_override(desk.desk(), &owner(), made.id)
        .await
        .expect("it is taken back");
    desk.work().await;
    let told = desk.told();
    assert_eq!(only(&told, "eve").0, "You are not put on call any more");
    assert_eq!(
        only(&told, "pia").0,
        "eve is not on call in your place any more"
    );
}

async fn what_is_past_is_not_taken_back(backend: Backend) {
    let desk = three(backend).await;
    let new = NewOverride {
        place: place(),
        who: "eve".to_owned(),
        from: "now".to_owned(),
        to: "2026-11-23T10:00Z".to_owned(),
        reason: "lunch".to_owned(),
        layer: Layer::Primary,
    };
    let made = oncall::set_override(desk.desk(), &owner(), new).await;
    let made = made.expect("it is made");
    tell(&desk).await;
    let told = desk.told();
    assert_eq!(
        told.len(),
        2,
        "each side is told once, as of a handoff: {told:#?}"
    );
    assert_eq!(
        only(&told, "eve").0,
        "You are on call now: fintech (primary)"
    );
    desk.mail.test.pass(Duration::from_hours(2));
    let late = oncall::remove_override(desk.desk(), &owner(), made.id).await;
    assert!(
        matches!(&late, Err(Error::Refused(refusal)) if refusal.message.contains("it was over")),
        "{late:?}"
    );
    desk.work().await;
    assert_eq!(desk.told(), [], "nobody is told of what is past");
}

/// Of two overrides the one made last holds; the other one, taken back, changes nothing. One without an end in sight is
/// looked through for eight weeks.
async fn whom_nothing_changes_for_is_told_nothing(backend: Backend) {
    let desk = three(backend).await;
    let put = async |who: &str, to: &str| {
        let new = NewOverride {
            place: place(),
            who: who.to_owned(),
            from: "2026-12-24 09:00".to_owned(),
            to: to.to_owned(),
            reason: "holidays".to_owned(),
            layer: Layer::Primary,
        };
        let made = oncall::set_override(desk.desk(), &owner(), new).await;
        desk.mail.test.pass(SECOND);
        made.expect("it is made").id
    };
    let first = put("eve", "2026-12-25 09:00").await;
    let second = put("sid", "2999-01-01").await;
    desk.work().await;
    let told = desk.told();
    let last = of(&told, "eve").pop().map(|one| one.title.as_str());
    assert_eq!(last, Some("sid is on call in your place"), "{told:#?}");
    oncall::remove_override(desk.desk(), &owner(), first)
        .await
        .expect("it is taken back");
    desk.work().await;
    assert_eq!(desk.told(), [], "sid is on call as before");
    oncall::remove_override(desk.desk(), &owner(), second)
        .await
        .expect("it is taken back");
    desk.work().await;
    let told = desk.told();
    assert_eq!(only(&told, "sid").0, "You are not put on call any more");
    let pia = "sid is not on call in your place any more";
    assert_eq!(only(&told, "pia").0, pia);
}

async fn a_second_is_told_how_to_give_it_away(backend: Backend) {
    let desk = three(backend).await;
    let second = THREE.replace("layer = \"primary\"", "layer = \"secondary\"");
    let (_, second) = second
        .split_once("zone = \"Europe/Berlin\"\n")
        .expect("a zone");
    let second = second.replace("\"ada\", \"ben\", \"pia\"", "\"eve\", \"sid\", \"eve\"");
    desk.rota(&format!("{THREE}{second}")).await;
    tell(&desk).await;
    desk.told();
    desk.mail.test.pass(TO_SUNDAY + SECOND);
    tell(&desk).await;
    let told = desk.told();
    let (_, lines) = only(&told, "eve");
    let offer = "swap offer --schedule fintech --from 2026-11-30T00:00:00Z --layer secondary";
    assert!(lines.contains(offer), "{lines}");
    let offer = Offer {
        place: place(),
        layer: Layer::Secondary,
        from: "2026-11-30T00:00:00Z".to_owned(),
        to: None,
        reason: None,
        whose: None,
    };
    oncall::offer(desk.desk(), &login("eve"), offer)
        .await
        .expect("what it says can be done");
}

async fn after_an_outage_what_is_so_now_is_told(backend: Backend) {
    let desk = three(backend).await;
    // Two handoffs, and nobody ran the desk.
    desk.mail.test.pass(TO_MONDAY + DAY * 8);
    assert_eq!(tell(&desk).await, 2);
    let told = desk.told();
    assert!(only(&told, "ada").0.starts_with("You are on call now"));
    let (_, lines) = only(&told, "ben");
    assert!(lines.contains("ada has it now"), "{lines}");
    assert!(of(&told, "pia").is_empty(), "what was in between is over");
    // Whatever the reason: an absence that begins.
    oncall::add_absence(
        desk.desk(),
        &owner(),
        Some("ada"),
        ("now", "2026-12-13"),
        "ill",
    )
    .await
    .expect("it is entered");
    desk.mail.test.pass(SECOND);
    tell(&desk).await;
    let told = desk.told();
    assert!(
        only(&told, "ben").0.starts_with("You are on call now"),
        "{told:#?}"
    );
    let to_ada: Vec<&str> = of(&told, "ada")
        .iter()
        .map(|one| one.title.as_str())
        .collect();
    assert_eq!(to_ada.len(), 2, "{told:#?}");
    assert_eq!(to_ada[0], "You are entered as away");
    assert!(to_ada[1].starts_with("You are off call now"));
}

async fn nobody_is_woken_to_be_told(backend: Backend) {
    let desk = PageDesk::sealing(backend).await;
    let quiet = |format: &str, wakes| {
        let secret = WebhookSecret {
            url: "https://hooks.example/x".to_owned(),
            key: Some("k".to_owned()),
            user: Some("u".to_owned()),
        };
        (
            NewChannel::Webhook {
                name: format!("{format}-{wakes}"),
                format: format.to_owned(),
                secret,
            },
            Some(wakes),
        )
    };
    for (format, wakes) in [
        ("pagerduty", true),
        ("json", true),
        ("json", false),
        ("ntfy", true),
    ] {
        let (new, wakes) = quiet(format, wakes);
        channels::add(desk.desk(), &owner(), "pia", new, wakes)
            .await
            .expect("the channel is added");
    }
    desk.disable("ben").await;
    assert_eq!(tell(&desk).await, 4, "all but ben, who is disabled");
    let told = desk.told();
    assert!(of(&told, "ben").is_empty(), "{told:#?}");
    let mut on: Vec<Channel> = of(&told, "pia").iter().map(|one| one.channel).collect();
    on.sort();
    assert_eq!(on, [Channel::Mail, Channel::Webhook, Channel::Webhook]);
    // It is no page: nothing counts it as one.
    let preview = oncall::preview(desk.desk(), &owner(), &place(), (None, None), 1).await;
    let load = preview.expect("it is shown").load;
    assert!(load.iter().all(|one| one.pages == 0), "{load:?}");
    desk.is_healthy().await;
}

async fn a_schedule_that_is_removed_is_nobodys_shift(backend: Backend) {
    let desk = PageDesk::start(backend).await;
    tell(&desk).await;
    desk.told();
    oncall::remove_schedule(desk.desk(), &owner(), "security-lead")
        .await
        .expect("it is removed");
    assert_eq!(tell(&desk).await, 1);
    let told = desk.told();
    let (title, lines) = only(&told, "sid");
    assert_eq!(title, "You are off call now: security-lead (primary)");
    assert_eq!(lines, "security-lead (primary): nobody has it now.");
    assert_eq!(tell(&desk).await, 0, "once");
}

/// The program itself, with people who have mail and a rota, and the folder into which its letters go.
async fn with_people(backend: Backend) -> (impl Sized, Program, Letters) {
    let sink = WebhookSink::start().await;
    let (test, program) = program(backend, &sink).await;
    let folder = tempfile::tempdir().expect("a temporary folder");
    let (letters, rota) = (folder.path().join("out"), folder.path().join("rota.toml"));
    fs::create_dir(&letters).expect("it is made");
    fs::write(&rota, ROTA).expect("it is written");
    let rota = rota.to_str().expect("a UTF-8 path");
    let program = program.with(
        "TIERDESK_MAIL__SMTP_URL",
        format!("file:{}", letters.display()),
    );
    let own = Program::own_login();
    let admin = ["staff", "add", "mia", "--role", "admin", "--login", &own];
    program.run(&admin).done();
    for name in ["ada", "ben", "pia", "sid", "eve"] {
        program
            .run(&["staff", "add", name, "--role", "agent"])
            .done();
        let address = format!("{name}@staff.example");
        let channel = ["staff", "channel", "add", name, "--mail", &address];
        program.run(&channel).done();
    }
    let set = ["oncall", "schedule", "set", "--file", rota];
    program.run(&set).done();
    ((test, sink, folder), program, Letters(letters))
}

struct Letters(PathBuf);

impl Letters {
    fn all(&self) -> Vec<String> {
        let files = fs::read_dir(&self.0).expect("the folder is there");
        let files = files.map(|one| one.expect("a file").path());
        files
            .filter_map(|path| fs::read_to_string(path).ok())
            .collect()
    }

    fn have(&self, what: &str) -> bool {
        self.all().iter().any(|text| text.contains(what))
    }
}

async fn serve_tells_it_by_mail(backend: Backend) {
    let (_kept, program, letters) = with_people(backend).await;
    let mut worker = program.start(&["serve", "--role", "worker"]);
    until("five letters", async || letters.all().len() == 5).await;
    assert!(letters.have("Subject: You are on call now: platform-lead (primary)"));
    assert!(letters.have("gov-federal (primary): yours until"));
    // Somebody goes away: it is told within seconds.
    let away = "oncall absence add pia --from now --to 2099-01-01 --reason ill";
    program.run(&away.split(' ').collect::<Vec<_>>()).done();
    until("the sixth", async || {
        letters.have("Subject: You are off call now: platform-lead (primary)")
    })
    .await;
    let is_automatic = |text: &String| text.contains("Auto-Submitted: auto-generated");
    assert!(letters.all().iter().all(is_automatic));
    worker.kill().expect("it can be killed");
    worker.wait().expect("it ends");
}

async fn kills_lose_none_and_tell_none_twice(backend: Backend) {
    for point in ["handoffs.before_commit", "handoffs.committed"] {
        let (_kept, program, letters) = with_people(backend).await;
        killed_at(&program, point, &["serve", "--role", "worker"]).await;
        let mut worker = program.start(&["serve", "--role", "worker"]);
        until(point, async || letters.all().len() == 5).await;
        // A further look.
        tokio::time::sleep(Duration::from_secs(11)).await;
        println!(
            "{backend:?} {point}: 1 hit, {} of 5 letters",
            letters.all().len()
        );
        assert_eq!(letters.all().len(), 5, "{point}");
        worker.kill().expect("it can be killed");
        worker.wait().expect("it ends");
    }
}
