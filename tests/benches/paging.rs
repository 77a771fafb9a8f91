//! How long from the instant a page is due to the instant the other side has it, while other mail comes in?
//! Beside it what a bare call to the same other side takes.
//!
//! ```text
//! cargo bench -p tierdesk-tests --bench paging              on both databases
//! cargo bench -p tierdesk-tests --bench paging -- 50        a quick look, that many pages
//! cargo bench -p tierdesk-tests --bench paging -- flood     10,000 spoofed sev1 mails, 20 genuine ones among them
//! ```
//!
//! The parts are those of `serve`: the engine, three senders. Mails come in one by one, two in three of them
//! page nobody.
#![expect(clippy::print_stdout, reason = "a benchmark prints its figures")]

use std::{
    collections::HashMap,
    sync::Arc,
    time::{Duration, Instant},
};

use tierdesk_core::{
    clock::{Clock, Timestamp},
    desk::Desk,
    ids::PageId,
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
use tierdesk_tests::{Backend, Letter, MailDesk, TestDesk, WebhookSink, look_into};
use tokio::{runtime::Runtime, task::JoinSet};
use tokio_util::sync::CancellationToken;

/// Page due to page sent, at the ninety-ninth of a hundred.
const GOAL: Duration = Duration::from_secs(2);
/// From a genuine mail to its page sent, in a flood of others.
const FLOOD_GOAL: Duration = Duration::from_secs(5);
/// So many pages an hour the flood may have, as the shipped policies say.
const FLOOD_PAGES: usize = 5;
const SPOOFED: usize = 10_000;
const GENUINE: usize = 20;

fn main() {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .expect("a runtime starts");
    if std::env::args().any(|argument| argument == "flood") {
        floods(&runtime);
    } else {
        pages(&runtime);
    }
    runtime.block_on(tierdesk_tests::drop_databases());
}

fn pages(runtime: &Runtime) {
    let pages = std::env::args()
        .skip(1)
        .find_map(|argument| argument.parse().ok())
        .unwrap_or(300);
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
}

fn floods(runtime: &Runtime) {
    println!(
        "| database | spoofed | in s | pages of the flood | genuine | their pages sent, longest ms | a bare call, p99 ms |"
    );
    println!("|---|---|---|---|---|---|---|");
    for backend in [Backend::Sqlite, Backend::Postgres] {
        let flood = runtime.block_on(flood(backend));
        let (mut waits, mut bare) = (flood.waits, flood.bare);
        let (longest, limit) = (at(&mut waits, 1.0), at(&mut bare, 0.99));
        println!(
            "| {backend:?} | {SPOOFED} | {:.0} | {} | {} | {longest:.0} | {limit:.1} |",
            flood.took.as_secs_f64(),
            flood.pages,
            waits.len(),
        );
        let is_met = longest <= FLOOD_GOAL.as_secs_f64() * 1_000.0
            && flood.pages <= FLOOD_PAGES
            && waits.len() == GENUINE;
        println!(
            "{backend:?}: at most {FLOOD_PAGES} pages, {GENUINE} within {FLOOD_GOAL:?}: {}",
            if is_met { "met" } else { "missed" }
        );
    }
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

/// A desk as `serve` runs it: the engine, and three senders to a sink.
struct Running {
    test: TestDesk,
    desk: Arc<Desk>,
    webhooks: Arc<Webhooks>,
    stop: CancellationToken,
    parts: JoinSet<()>,
    _sink: WebhookSink,
}

impl Running {
    async fn start(backend: Backend) -> Self {
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
        let mut parts = JoinSet::new();
        let (engine, ended) = (Arc::clone(&desk), stop.clone());
        parts.spawn(async move { page_engine::run(&engine, &ended).await });
        for _ in 0..3 {
            let send = SendPageWebhook {
                desk: Arc::clone(&desk),
                webhooks: Arc::clone(&webhooks),
            };
            let worker = Worker::new(desk.database.clone(), "pages", vec![Arc::new(send)]);
            let ended = stop.clone();
            parts.spawn(async move { worker.run(ended).await });
        }
        Self {
            test,
            desk,
            webhooks,
            stop,
            parts,
            _sink: sink,
        }
    }

    async fn end(&mut self) {
        self.stop.cancel();
        while self.parts.join_next().await.is_some() {}
    }
}

async fn take(desk: &Desk, letter: Letter) {
    deliver(desk, Road::Deliver, Envelope::default(), letter.bytes())
        .await
        .expect("it is taken");
}

/// How long each page took, and each bare call.
async fn measure(backend: Backend, pages: u32) -> (Vec<Duration>, Vec<Duration>) {
    let mut running = Running::start(backend).await;
    for n in 0..pages * 3 {
        let id = format!("bench-{n}");
        let letter = MailDesk::proven("admin@startupcorp.io", &id);
        let subject = if n % 3 == 0 {
            "[SEV1] down"
        } else {
            "a question"
        };
        take(&running.desk, letter.subject(&format!("{subject} {n}"))).await;
    }
    let sql = "SELECT p.due_at, n.ended_at FROM pages p JOIN page_notices n ON n.page_id = p.id
               WHERE n.state = 'sent'";
    let mut rows: Vec<(Timestamp, Timestamp)> = Vec::new();
    for _ in 0..600 {
        rows = look_into(&running.test.url, sql).await;
        if rows.len() as u64 >= u64::from(pages) {
            break;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    running.end().await;
    assert_eq!(
        rows.len() as u64,
        u64::from(pages),
        "every page was sent once"
    );
    let waits = rows.iter().map(|(due, sent)| sent.since(*due)).collect();
    (waits, bare(&running.webhooks, pages).await)
}

/// What became of a flood.
struct Flood {
    took: Duration,
    /// Pages for senders who proved nothing that called somebody.
    pages: usize,
    /// From each genuine mail to its page sent.
    waits: Vec<Duration>,
    bare: Vec<Duration>,
}

/// As many at once as a mail server sends, one in five hundred genuine, as fast as they are taken: less than the hour
/// that the budget is for.
async fn flood(backend: Backend) -> Flood {
    let mut running = Running::start(backend).await;
    let since = Instant::now();
    let mut spoofing = JoinSet::new();
    for lane in 0..4 {
        let desk = Arc::clone(&running.desk);
        spoofing.spawn(async move {
            for n in (lane..SPOOFED).step_by(4) {
                let letter = Letter::new("john@acmefinance.com", &format!("spoofed-{n}"));
                take(&desk, letter.subject(&format!("[SEV1] down {n}"))).await;
            }
        });
    }
    let mut sent_at = HashMap::new();
    let spoofed = "SELECT CAST(COUNT(*) AS BIGINT) FROM messages WHERE subject LIKE '[SEV1] down%'";
    for n in 0..GENUINE {
        let due = i64::try_from(n * SPOOFED / GENUINE).expect("it fits");
        while look_into::<(i64,)>(&running.test.url, spoofed).await[0].0 < due {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        let subject = format!("[SEV1] truly {n}");
        let letter = MailDesk::proven("admin@startupcorp.io", &format!("genuine-{n}"));
        sent_at.insert(subject.clone(), Clock::System.read());
        take(&running.desk, letter.subject(&subject)).await;
    }
    while spoofing.join_next().await.is_some() {}
    let took = since.elapsed();
    tokio::time::sleep(FLOOD_GOAL).await;
    running.end().await;
    let sql = "SELECT t.subject, MIN(n.ended_at) AS at FROM pages p
               JOIN page_notices n ON n.page_id = p.id JOIN tickets t ON t.id = p.ticket_id
               WHERE n.state = 'sent' AND p.kind = 'ticket' GROUP BY t.subject";
    let genuine: Vec<(String, Timestamp)> = look_into(&running.test.url, sql).await;
    let waits = genuine
        .iter()
        .filter_map(|(subject, at)| Some(at.since(*sent_at.get(subject)?)))
        .collect();
    let sql = "SELECT DISTINCT p.id FROM pages p JOIN page_notices n ON n.page_id = p.id
               WHERE p.kind = 'unverified' AND n.signal = 'trigger' AND n.state = 'sent'";
    let pages: Vec<(PageId,)> = look_into(&running.test.url, sql).await;
    Flood {
        took,
        pages: pages.len(),
        waits,
        bare: bare(&running.webhooks, 200).await,
    }
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
