//! How fast is mail taken over SMTP, beside Debian's Postfix, which puts it into an empty Maildir?
//!
//! ```text
//! cargo build --release -p tierdesk && cargo bench -p tierdesk-tests --bench listener
//! cargo bench -p tierdesk-tests --bench listener -- 200     a quick look, that many mails a round
//! ```
//!
//! The same client, the same mails, each server in turn within a round, on loopback; every server
//! has a fresh, empty place for each round. Postfix delivers while it takes, so our figures are
//! given both ways: with the worker that makes tickets of the mails meanwhile, and without. It needs
//! root, because Postfix does. It ends by itself.
#![expect(clippy::print_stdout, reason = "a benchmark prints its figures")]

use std::{
    net::SocketAddr,
    sync::Arc,
    time::{Duration, Instant},
};

use sqlx::Connection as _;
use tierdesk_tests::{
    Backend, Delivery, MailClient, Postfix, Program, Served, TestDesk, corpus::Corpus,
};

const ROUNDS: usize = 5;
const CONNECTIONS: [usize; 3] = [1, 8, 32];
const SUPPORT: &str = "support@securebase.example";
const CUSTOMERS: usize = 50;

/// Who takes the mail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Server {
    Postfix,
    /// `serve --role ingest`: what is taken waits.
    Stored,
    /// `serve`: tickets are made meanwhile.
    Served,
}

impl Server {
    const ALL: [Self; 3] = [Self::Postfix, Self::Stored, Self::Served];

    fn name(self) -> &'static str {
        match self {
            Self::Postfix => "Postfix, into a Maildir",
            Self::Stored => "tierdesk, stored",
            Self::Served => "tierdesk, stored and made tickets",
        }
    }
}

/// What one round of one server came to.
#[derive(Clone, Debug)]
struct Figures {
    accepted: f64,
    p50: f64,
    p99: f64,
}

fn main() {
    let mails = std::env::args()
        .skip(1)
        .find_map(|argument| argument.parse().ok())
        .unwrap_or(2_000);
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .expect("a runtime starts");
    runtime.block_on(compare(mails));
}

async fn compare(mails: usize) {
    let corpus = Corpus {
        mails,
        customers: CUSTOMERS,
        words: 1_300,
        seed: 7,
    };
    let letters: Arc<Vec<Vec<u8>>> = Arc::new(corpus.letters().map(|raw| wire(&raw)).collect());
    let bytes: usize = letters.iter().map(Vec::len).sum();
    let kind = if cfg!(debug_assertions) {
        "debug"
    } else {
        "release"
    };
    println!(
        "{} mails of {} bytes mean a round, {ROUNDS} rounds, medians; SQLite; {kind} build\n",
        letters.len(),
        bytes / letters.len().max(1)
    );
    println!("| connections | server | accepted/s | p50 ms | p99 ms | of Postfix |");
    println!("|---|---|---|---|---|---|");
    for connections in CONNECTIONS {
        let mut rounds: Vec<(Server, Figures)> = Vec::new();
        for _ in 0..ROUNDS {
            for server in Server::ALL {
                rounds.push((
                    server,
                    measure(server, &corpus, &letters, connections).await,
                ));
            }
        }
        let of = |server: Server, figure: fn(&Figures) -> f64| {
            let all = rounds.iter().filter(|(one, _)| *one == server);
            median(all.map(|(_, figures)| figure(figures)).collect())
        };
        for server in Server::ALL {
            let accepted = of(server, |one| one.accepted);
            let ratio = accepted / of(Server::Postfix, |one| one.accepted);
            println!(
                "| {connections} | {} | {accepted:.0} | {:.2} | {:.2} | {ratio:.2} |",
                server.name(),
                of(server, |one| one.p50),
                of(server, |one| one.p99),
            );
        }
    }
}

/// Mails as they travel: every line ends in CR LF.
fn wire(raw: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(raw.len() + raw.len() / 32);
    for line in raw.split_inclusive(|byte| *byte == b'\n') {
        let text = line.strip_suffix(b"\n").unwrap_or(line);
        bytes.extend_from_slice(text.strip_suffix(b"\r").unwrap_or(text));
        bytes.extend_from_slice(b"\r\n");
    }
    bytes
}

async fn measure(
    server: Server,
    corpus: &Corpus,
    letters: &Arc<Vec<Vec<u8>>>,
    connections: usize,
) -> Figures {
    if server == Server::Postfix {
        let postfix = Postfix::start(Delivery::Maildir);
        let figures = send_all(postfix.address(), letters, connections).await;
        let deadline = Instant::now() + Duration::from_mins(2);
        while postfix.delivered() < letters.len() {
            assert!(
                Instant::now() < deadline,
                "Postfix lost mail\n{}",
                postfix.log()
            );
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        return figures;
    }
    let (url, _folder) = TestDesk::place(Backend::Sqlite).await;
    let program = Program::new(&url);
    let import = ["customer", "import", "-", "--format", "toml"];
    program
        .run_with(&import, corpus.customers_toml().as_bytes())
        .done();
    let arguments: &[&str] = match server {
        Server::Stored => &["serve", "--role", "ingest"],
        _ => &["serve"],
    };
    let served = Served::start(&program, "smtp", arguments);
    let figures = send_all(served.address(), letters, connections).await;
    drop(served);
    let mut connection = sqlx::SqliteConnection::connect(&url)
        .await
        .expect("the database opens");
    let (stored,): (i64,) = sqlx::query_as("SELECT COUNT(*) FROM inbox")
        .fetch_one(&mut connection)
        .await
        .expect("it counts");
    assert_eq!(
        usize::try_from(stored).ok(),
        Some(letters.len()),
        "lost or doubled"
    );
    figures
}

/// Hands all mails over on so many connections, each mail after the last was answered.
async fn send_all(address: SocketAddr, letters: &Arc<Vec<Vec<u8>>>, connections: usize) -> Figures {
    let mut clients = Vec::new();
    for _ in 0..connections {
        clients.push(
            MailClient::connect(address, "EHLO")
                .await
                .expect("it answers"),
        );
    }
    let began = Instant::now();
    let mut sending = tokio::task::JoinSet::new();
    for (number, mut client) in clients.into_iter().enumerate() {
        let letters = Arc::clone(letters);
        sending.spawn(async move {
            let mut took = Vec::new();
            for letter in letters.iter().skip(number).step_by(connections) {
                let asked = Instant::now();
                let said = client
                    .deliver(&[SUPPORT], letter, 1)
                    .await
                    .expect("it is taken");
                assert!(said[0].starts_with("250"), "{said:?}");
                took.push(asked.elapsed().as_secs_f64() * 1_000.0);
            }
            took
        });
    }
    let mut took: Vec<f64> = sending.join_all().await.into_iter().flatten().collect();
    let seconds = began.elapsed().as_secs_f64();
    took.sort_by(f64::total_cmp);
    Figures {
        accepted: rate(took.len(), seconds),
        p50: took[took.len() / 2],
        p99: took[took.len() * 99 / 100],
    }
}

#[expect(clippy::cast_precision_loss, reason = "a rate")]
fn rate(mails: usize, seconds: f64) -> f64 {
    mails as f64 / seconds
}

fn median(mut figures: Vec<f64>) -> f64 {
    figures.sort_by(f64::total_cmp);
    figures[figures.len() / 2]
}
