//! The program is killed while it calls somebody in Discord, and while a button is acted on: they are called, once on
//! each channel, and a button that was cut off can be pressed again.

use std::{fs, time::Duration};

use tierdesk_tests::{
    Backend, MailDesk, Program, TestDesk,
    discord::{FakeDiscord, Message},
    on_both,
};

use super::{cut_at, died_at, killed_at, until};

on_both! {
    calls_in_chat_outlive_kills,
    a_button_that_was_cut_off_can_be_pressed_again,
}

const ROTA: &str = "[[schedule]]\nslug = \"fintech\"\nzone = \"UTC\"\n[[schedule.rotation]]\nlayer = \"primary\"\n\
                    people = [\"dana\"]\nevery = \"1 week\"\nstarts = \"2026-11-16 00:00\"\n";

struct Desk {
    program: Program,
    discord: FakeDiscord,
    dana: u64,
    _kept: (TestDesk, tempfile::TempDir),
}

/// A program with a bot, and dana on call, who has Discord and nothing else; it is not running.
async fn desk(backend: Backend) -> Desk {
    let test = TestDesk::with_customers(backend).await;
    let discord = FakeDiscord::start().await;
    discord.add_forum("support-fintech", &["new", "fintech"]);
    let dana = discord.add_member("dana", &[]);
    let program = Program::new(&test.url)
        .with("TIERDESK_MAIL__AUTHSERV_ID", MailDesk::CHECKER)
        .with("TIERDESK_DISCORD__TOKEN", discord.token())
        .with("TIERDESK_DISCORD__GUILD_ID", discord.guild_id().to_string())
        .with("TIERDESK_DISCORD__API_BASE", discord.api_base());
    let own = Program::own_login();
    let admin = ["staff", "add", "mia", "--role", "admin", "--login", &own];
    program.run(&admin).done();
    let add = ["staff", "add", "dana", "--role", "agent"];
    program.run(&add).done();
    let user = dana.to_string();
    let link = ["staff", "link-discord", "dana", &user];
    program.run(&link).done();
    let folder = tempfile::tempdir().expect("a temporary folder");
    let rota = folder.path().join("rota.toml");
    fs::write(&rota, ROTA).expect("it is written");
    let rota = rota.to_str().expect("a UTF-8 path");
    let set = ["oncall", "schedule", "set", "--file", rota];
    program.run(&set).done();
    Desk {
        program,
        discord,
        dana,
        _kept: (test, folder),
    }
}

impl Desk {
    /// A sev1 mail of a customer who is known.
    fn sev1(&self) {
        let letter = MailDesk::proven("john@acmefinance.com", "down").subject("[SEV1] down");
        self.program
            .run_with(&["mail", "deliver"], &letter.bytes())
            .done();
    }

    /// What calls dana directly.
    fn calls(&self) -> Vec<Message> {
        let mut messages = self.discord.direct_messages(self.dana);
        messages.retain(|one| one.text().contains("SEV1") && !one.labels().is_empty());
        messages
    }

    /// What became of the notices, and where the page stands.
    fn page(&self) -> (String, Vec<String>) {
        let shown = self
            .program
            .run(&["oncall", "page", "show", "SB-1", "--json"]);
        let page = shown.done().json()[0].clone();
        let text = |value: &serde_json::Value| value.as_str().unwrap_or_default().to_owned();
        let notices = page["notices"].as_array().cloned().unwrap_or_default();
        let states = notices
            .iter()
            .filter(|one| one["signal"] == "trigger")
            .map(|one| text(&one["state"]));
        (text(&page["state"]), states.collect())
    }
}

async fn calls_in_chat_outlive_kills(backend: Backend) {
    for point in [
        "notice.begun",
        "notice.handed_over",
        "notice.before_record",
        "post.made",
    ] {
        let desk = desk(backend).await;
        desk.sev1();
        killed_at(&desk.program, point, &["serve"]).await;
        let mut second = desk.program.start(&["serve"]);
        until(point, async || {
            let (_, notices) = desk.page();
            notices.len() == 2 && notices.iter().all(|state| state == "sent")
        })
        .await;
        assert_eq!(desk.calls().len(), 1, "{point}: once, by its nonce");
        println!("{backend:?} {point}: 1 hit, 0 lost, 0 doubled");
        second.kill().expect("it can be killed");
        second.wait().expect("it ends");
    }
}

async fn a_button_that_was_cut_off_can_be_pressed_again(backend: Backend) {
    let point = "page.press_before_commit";
    let desk = desk(backend).await;
    desk.sev1();
    let (cut, log) = cut_at(&desk.program, point);
    let first = cut.start(&["serve"]);
    until("the call", async || !desk.calls().is_empty()).await;
    desk.discord.connected().await;
    let call = desk.calls()[0].id;
    // Nobody answers: the program is gone.
    let pressing = desk.discord.press(desk.dana, call, "Acknowledge");
    let _ = tokio::time::timeout(Duration::from_secs(20), pressing).await;
    died_at(&desk.program, point, first, &log).await;
    assert_eq!(desk.page().0, "open", "nothing was committed");
    let mut second = desk.program.start(&["serve"]);
    until("the acknowledgement", async || {
        let pressing = desk.discord.press(desk.dana, call, "Acknowledge");
        let _ = tokio::time::timeout(Duration::from_secs(20), pressing).await;
        desk.page().0 == "acknowledged"
    })
    .await;
    println!("{backend:?} {point}: 1 hit");
    second.kill().expect("it can be killed");
    second.wait().expect("it ends");
}
