//! How long from the instant a page is due to the instant the other side has it, while other mail comes in?
//! Beside it what a bare call to the same other side takes.
//!
//! ```text
//! cargo bench -p tierdesk-tests --bench paging              on both databases
//! cargo bench -p tierdesk-tests --bench paging -- 50        a quick look, that many pages
//! ```
//!
//! The parts are those of `serve`: the engine, three senders. Mails come in one by one, two in three of them
//! page nobody.
#![expect(clippy::print_stdout, reason = "a benchmark prints its figures")]

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use tierdesk_core::{
    clock::{Clock, Timestamp},
    desk::Desk,
    jobs::{page_engine, worker::Worker},
    mail::Envelope,
    receive::Road,
    settings::Settings,
};
use tierdesk_ingest::process::deliver;
use tierdesk_outbound::{
    page_webhook::SendPageWebhook,
    webhook::{Action, Alert, Webhooks},
};
use tierdesk_tests::{Backend, MailDesk, TestDesk, WebhookSink, look_into};
use tokio_util::sync::CancellationToken;

/// Page due to page sent, at the ninety-ninth of a hundred.
const GOAL: Duration = Duration::from_secs(2);

fn main() {
    let pages = std::env::args()
        .skip(1)
        .find_map(|argument| argument.parse().ok())
        .unwrap_or(300);
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .expect("a runtime starts");
    println!("| database | pages | p50 ms | p99 ms | longest ms | a bare call, p99 ms |");
    println!("|---|---|---|---|---|---|");
    for backend in [Backend::Sqlite, Backend::Postgres] {
        let (mut waits, mut bare) = runtime.block_on(measure(backend, pages));
        let [half, most, longest] = [0.5, 0.99, 1.0].map(|part| at(&mut waits, part));
        let limit = at(&mut bare, 0.99);
        println!(
            "| {backend:?} | {} | {half:.0} | {most:.0} | {longest:.0} | {limit:.1} |",
            waits.len()
        );
        let verdict = if most <= GOAL.as_secs_f64() * 1_000.0 {
            "met"
        } else {
            "missed"
        };
        println!("{backend:?}: p99 under {GOAL:?}: {verdict}");
    }
    runtime.block_on(tierdesk_tests::drop_databases());
}

/// Milliseconds at a part of them.
fn at(all: &mut [Duration], part: f64) -> f64 {
    all.sort();
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        clippy::cast_precision_loss,
        reason = "a few hundred"
    )]
    let index = ((all.len() as f64 * part).ceil() as usize).clamp(1, all.len()) - 1;
    all[index].as_secs_f64() * 1_000.0
}

/// How long each page took, and each bare call.
async fn measure(backend: Backend, pages: u32) -> (Vec<Duration>, Vec<Duration>) {
    let test = TestDesk::with_customers(backend).await;
    let sink = WebhookSink::start().await;
    let text = format!(
        "[[webhook]]\nname = \"sink\"\nurl = \"{}\"\nformat = \"json\"\nallow_private = true\n",
        sink.url("pages")
    );
    let settings = Settings::parse(Some(("bench.toml", &text)), std::iter::empty());
    let settings = settings.unwrap_or_else(|fault| panic!("{fault}"));
    let webhooks = Arc::new(Webhooks::new(&settings.webhooks).expect("it can be set up"));
    let desk = Arc::new(Desk {
        authserv_id: Some("mx.securebase.example".to_owned()),
        webhooks: vec!["sink".to_owned()],
        ..Desk::new(test.open_again(Clock::System, None).await)
    });
    let stop = CancellationToken::new();
    let mut running = tokio::task::JoinSet::new();
    let (engine, ended) = (Arc::clone(&desk), stop.clone());
    running.spawn(async move { page_engine::run(&engine, &ended).await });
    for _ in 0..3 {
        let send = SendPageWebhook {
            desk: Arc::clone(&desk),
            webhooks: Arc::clone(&webhooks),
        };
        let worker = Worker::new(desk.database.clone(), "pages", vec![Arc::new(send)]);
        let ended = stop.clone();
        running.spawn(async move { worker.run(ended).await });
    }
    for n in 0..pages * 3 {
        let id = format!("bench-{n}");
        let letter = MailDesk::proven("admin@startupcorp.io", &id);
        let subject = if n % 3 == 0 {
            "[SEV1] down"
        } else {
            "a question"
        };
        let raw = letter.subject(&format!("{subject} {n}")).bytes();
        deliver(&desk, Road::Deliver, Envelope::default(), &raw)
            .await
            .expect("it is taken");
    }
    let sql = "SELECT p.due_at, n.ended_at FROM pages p JOIN page_notices n ON n.page_id = p.id
               WHERE n.state = 'sent'";
    let mut rows: Vec<(Timestamp, Timestamp)> = Vec::new();
    for _ in 0..600 {
        rows = look_into(&test.url, sql).await;
        if rows.len() as u64 >= u64::from(pages) {
            break;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    stop.cancel();
    while running.join_next().await.is_some() {}
    assert_eq!(
        rows.len() as u64,
        u64::from(pages),
        "every page was sent once"
    );
    let waits = rows.iter().map(|(due, sent)| sent.since(*due)).collect();
    (waits, bare(&webhooks, pages).await)
}

async fn bare(webhooks: &Webhooks, calls: u32) -> Vec<Duration> {
    let endpoint = webhooks.find("sink").expect("it is configured");
    let mut waits = Vec::new();
    for n in 0..calls {
        let alert = Alert {
            action: Action::Trigger,
            key: format!("bare-{n}"),
            title: "a bare call".to_owned(),
            body: Vec::new(),
            severity: tierdesk_core::tiers::Severity::Sev1,
            tier: None,
            link: None,
            at: Timestamp::from_seconds(1_795_424_400),
            is_test: false,
        };
        let since = Instant::now();
        webhooks.send(endpoint, &alert).await;
        waits.push(since.elapsed());
    }
    waits
}
