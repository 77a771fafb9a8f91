//! `serve` is cut while it takes a mail from a Maildir and posts its card: one ticket, one card.

use std::{
    fs,
    time::{Duration, Instant},
};

use tierdesk_tests::{Backend, Letter, Program, TestDesk, discord::FakeDiscord, on_both};

use super::worker::{free_lapsed_lease, wait};

on_both! {
    taking_and_posting_may_be_cut_anywhere,
}

async fn taking_and_posting_may_be_cut_anywhere(backend: Backend) {
    for point in [
        "maildir.taken",
        "maildir.moved",
        "post.intended",
        "post.made",
    ] {
        let test = TestDesk::with_customers(backend).await;
        let discord = FakeDiscord::start().await;
        let forum = discord.add_forum("support-fintech", &["new", "fintech"]);
        let maildir = tempfile::tempdir().expect("a temporary folder");
        for folder in ["new", "cur", "tmp"] {
            fs::create_dir(maildir.path().join(folder)).expect("it is made");
        }
        let mail = Letter::new("john@acmefinance.com", "a").bytes();
        fs::write(maildir.path().join("new/1.mail"), mail).expect("it is delivered");
        let program = Program::new(&test.url)
            .with(
                "TIERDESK_MAIL__MAILDIR__0__PATH",
                maildir.path().display().to_string(),
            )
            .with("TIERDESK_DISCORD__TOKEN", discord.token())
            .with("TIERDESK_DISCORD__GUILD_ID", discord.guild_id().to_string())
            .with("TIERDESK_DISCORD__API_BASE", discord.api_base());
        let cut = program.clone().with("TIERDESK_FAULT", format!("{point}:1"));
        let ended = wait(cut.start(&["serve"]), Duration::from_secs(20));
        assert!(
            ended.is_some_and(|status| status.code().is_none()),
            "{point} did not end it: {ended:?}"
        );
        println!("{backend:?} {point}: 1 hit");

        free_lapsed_lease(&program).await;
        let mut second = program.start(&["serve"]);
        let deadline = Instant::now() + Duration::from_secs(30);
        loop {
            let jobs = program.run(&["jobs", "list", "--json"]).done().json();
            let is_idle = jobs.as_array().is_some_and(Vec::is_empty);
            let is_taken = maildir.path().join("cur/1.mail:2,").exists();
            if is_idle && is_taken && !discord.threads_in(forum).is_empty() {
                break;
            }
            assert!(Instant::now() < deadline, "{point}: {jobs}");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        second.kill().expect("it can be killed");
        second.wait().expect("it ends");
        let list = program.run(&["ticket", "list", "--json"]).done().json();
        assert_eq!(list.as_array().map(Vec::len), Some(1), "{point}: {list}");
        assert_eq!(discord.threads_in(forum).len(), 1, "{point}: one card");
        super::assert_settled(&program);
    }
}
