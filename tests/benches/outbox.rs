//! How many letters leave in a second over one, three and eight connections, to a relay that takes 44 ms over
//! each? The limit beside it is what such a relay can take at most.
//!
//! ```text
//! cargo bench -p tierdesk-tests --bench outbox              on both databases
//! cargo bench -p tierdesk-tests --bench outbox -- 60        a quick look, that many letters
//! ```
//!
//! Only handing over is measured: the job, the books before and after each letter, the conversation over TLS.
#![expect(clippy::print_stdout, reason = "a benchmark prints its figures")]

use std::{
    collections::HashMap,
    sync::Arc,
    time::{Duration, Instant},
};

use tierdesk_core::{
    desk::reply::{self, NewReply},
    jobs::worker::Worker,
    settings::{Settings, SmtpRoute},
};
use tierdesk_outbound::{
    relay::{Relay, Relays, Smtp},
    send::SendMail,
};
use tierdesk_tests::{Backend, MailDesk, fake_smtp::FakeSmtp, owner};

/// What the relay takes over a letter.
const TAKES: Duration = Duration::from_millis(44);
const CONNECTIONS: [u32; 3] = [1, 3, 8];
/// Three connections are to be so many times as fast as one.
const GOAL: f64 = 2.5;

fn main() {
    let letters = std::env::args()
        .skip(1)
        .find_map(|argument| argument.parse().ok())
        .unwrap_or(300);
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .expect("a runtime starts");
    println!("| database | connections | letters/s | at most | of it |");
    println!("|---|---|---|---|---|");
    for backend in [Backend::Sqlite, Backend::Postgres] {
        let mut rates = Vec::new();
        for connections in CONNECTIONS {
            let rate = runtime.block_on(measure(backend, connections, letters));
            let most = f64::from(connections) / TAKES.as_secs_f64();
            println!(
                "| {backend:?} | {connections} | {rate:.1} | {most:.1} | {:.2} |",
                rate / most
            );
            rates.push(rate);
        }
        let times = rates[1] / rates[0];
        let verdict = if times >= GOAL { "met" } else { "missed" };
        println!(
            "{backend:?}: three connections are {times:.2} times as fast as one, {GOAL} wanted: {verdict}"
        );
    }
    runtime.block_on(tierdesk_tests::drop_databases());
}

/// Letters in a second, with as many workers as connections.
async fn measure(backend: Backend, connections: u32, letters: u32) -> f64 {
    let desk = MailDesk::start(backend).await;
    for number in 0..letters {
        let mail = MailDesk::proven("john@acmefinance.com", &format!("l{number}"));
        let ticket = desk.receive_on(&mail).await;
        let new = NewReply {
            text: "It works again.".to_owned(),
            is_at_once: true,
            ..NewReply::default()
        };
        let answered = reply::reply(&desk.test.desk, &owner(), ticket, new).await;
        answered.expect("it is answered");
    }
    let server = FakeSmtp::start().await;
    server.state().delay = TAKES;
    let way = Arc::new(way(&server, connections));
    let begun = Instant::now();
    let mut running = tokio::task::JoinSet::new();
    for _ in 0..connections {
        let send = SendMail {
            desk: Arc::new(desk.test.desk.clone()),
            relays: Arc::new(Relays {
                default: Relay::Smtp(Arc::clone(&way)),
                by_domain: HashMap::new(),
            }),
        };
        let database = desk.test.desk.database.clone();
        let worker = Worker::new(database, "sender", vec![Arc::new(send)]);
        running.spawn(async move { worker.drain().await.expect("the queue can be read") });
    }
    running.join_all().await;
    let rate = f64::from(letters) / begun.elapsed().as_secs_f64();
    let arrived = u32::try_from(server.state().mails.len()).expect("a count");
    assert_eq!(arrived, letters, "every letter arrived once");
    rate
}

fn way(server: &FakeSmtp, connections: u32) -> Smtp {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let ca = folder.path().join("relay.pem");
    std::fs::write(&ca, server.certificate()).expect("it is written");
    let text = format!(
        "[mail]\naddress = \"support@securebase.example\"\n[[mail.relay]]\nurl = \"smtp://{}\"\n\
         tls = \"required\"\nca_file = {:?}\nconnections = {connections}\n",
        server.address(),
        ca.display().to_string()
    );
    let settings = Settings::parse(Some(("bench.toml", &text)), std::iter::empty());
    let settings = settings.unwrap_or_else(|fault| panic!("{fault}"));
    match settings.mail.out.default {
        Some(SmtpRoute::Server(relay)) => Smtp::new(*relay, None).expect("it can be set up"),
        other => panic!("{other:?}"),
    }
}
