//! `tierdesk serve`: a mail in the Maildir becomes a card in Discord, worked there, by one process that
//! stops when it is told to.

use std::{
    fs,
    process::Child,
    time::{Duration, Instant},
};

use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use serde_json::json;
use tierdesk_core::{
    desk::audit,
    permit::{Actor, SystemRole},
};
use tierdesk_tests::{Backend, Ended, Letter, Program, TestDesk, discord::FakeDiscord, on_both};

on_both! {
    a_mail_in_the_maildir_is_worked_in_discord_and_serve_ends_well,
    serve_goes_on_while_discord_is_away,
}

#[test]
fn a_role_that_is_not_configured_is_refused_in_words() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let program = Program::new(format!("sqlite://{}/desk.db", folder.path().display()));
    for (role, says) in [("bot", "discord.token"), ("ingest", "mail.maildir")] {
        let refused: Ended = program.run(&["serve", "--role", role]);
        assert_eq!(refused.code, Some(1), "{refused:?}");
        let words = format!("{}{}", refused.out, refused.err);
        assert!(words.contains(says), "{role}: {words}");
    }
}

fn end(mut child: Child) {
    let id = i32::try_from(child.id()).expect("process ids are small");
    let asked = Instant::now();
    kill(Pid::from_raw(id), Signal::SIGTERM).expect("it is there");
    let status = child.wait().expect("it ends");
    assert_eq!(status.code(), Some(0), "on SIGTERM");
    assert!(
        asked.elapsed() < Duration::from_secs(10),
        "{:?}",
        asked.elapsed()
    );
}

/// Names of forums and a Maildir, and the program that is configured for both.
async fn stage(backend: Backend) -> (TestDesk, FakeDiscord, tempfile::TempDir, Program, u64) {
    let test = TestDesk::with_customers(backend).await;
    let discord = FakeDiscord::start().await;
    discord.add_forum("support-fintech", &["new", "open", "closed", "fintech"]);
    let maildir = tempfile::tempdir().expect("a temporary folder");
    for folder in ["new", "cur", "tmp"] {
        fs::create_dir(maildir.path().join(folder)).expect("it is made");
    }
    let path = maildir.path().display().to_string();
    let program = Program::new(&test.url)
        .with("TIERDESK_MAIL__MAILDIR__0__PATH", path)
        .with("TIERDESK_DISCORD__TOKEN", discord.token())
        .with("TIERDESK_DISCORD__GUILD_ID", discord.guild_id().to_string())
        .with("TIERDESK_DISCORD__API_BASE", discord.api_base());
    let dana = discord.add_member("dana", &[]);
    (test, discord, maildir, program, dana)
}

fn put(maildir: &tempfile::TempDir, id: &str) {
    let letter = Letter::new("john@acmefinance.com", id).subject("Dashboard error");
    let tmp = maildir.path().join("tmp").join(id);
    fs::write(&tmp, letter.bytes()).expect("it is written");
    fs::rename(tmp, maildir.path().join("new").join(id)).expect("it is delivered");
}

async fn card(discord: &FakeDiscord, number: usize) -> u64 {
    let forum = discord
        .channel_by_name("support-fintech")
        .expect("it is there")
        .id;
    discord
        .until("the card", || {
            let threads = discord.threads_in(forum);
            (threads.len() == number).then(|| threads[number - 1].id)
        })
        .await
}

async fn a_mail_in_the_maildir_is_worked_in_discord_and_serve_ends_well(backend: Backend) {
    let (test, discord, maildir, program, dana) = stage(backend).await;
    let user = dana.to_string();
    let hire = [
        "staff",
        "add",
        "dana",
        "--role",
        "admin",
        "--discord",
        &user,
    ];
    program.run(&hire).done();
    let served = program.start(&["serve"]);
    discord.connected().await;
    put(&maildir, "1.mail");
    let posted = card(&discord, 1).await;
    let taken = discord.press(dana, posted, "Take").await;
    assert!(taken.text().contains("is yours"), "{taken:?}");
    discord
        .until("the card is brought up", || {
            let card = discord.message(posted)?;
            card.text().contains("Assignee: dana").then_some(())
        })
        .await;
    let shown = discord
        .command(dana, "customer show", json!({ "who": "acme" }))
        .await;
    assert!(shown.text().contains("ACME Finance Inc"), "{shown:?}");
    assert!(
        maildir.path().join("cur/1.mail:2,").exists(),
        "moved once it was safe"
    );
    end(served);
    discord.assert_clean();
    let sealer = Actor::System(SystemRole::Sealer);
    let verified = audit::verify(&test.desk, &sealer).await;
    assert!(verified.expect("it can be checked").ok);
}

async fn serve_goes_on_while_discord_is_away(backend: Backend) {
    let (_test, discord, maildir, program, _) = stage(backend).await;
    discord.fail_next("GET", "/gateway/bot", 503, json!({ "message": "away" }));
    let served = program.start(&["serve"]);
    put(&maildir, "1.mail");
    let cur = maildir.path().join("cur/1.mail:2,");
    let since = Instant::now();
    while !cur.exists() && since.elapsed() < Duration::from_secs(20) {
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert!(cur.exists(), "mail is taken all the same");
    card(&discord, 1).await;
    end(served);
    discord.assert_clean();
}
