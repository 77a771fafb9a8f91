//! From an interaction sent to its first answer, at the fake Discord, with a directory and a queue of the
//! size that is promised, beside a limit measured in the same run: a bare answer without the desk.
//!
//! ```text
//! cargo bench -p tierdesk-tests --bench chat            10,000 customers, 100,000 tickets
//! cargo bench -p tierdesk-tests --bench chat -- 200     a quick look, that many customers
//! ```
#![expect(clippy::print_stdout, reason = "a benchmark prints its figures")]

use std::{fmt::Write as _, time::Duration};

use serde_json::json;
use tierdesk_core::{
    customers::{
        CustomerStatus,
        exchange::{Format, read},
    },
    desk::import_customers::import,
    tickets::TicketNumber,
};
use tierdesk_tests::{Backend, GuildDesk, Letter, discord::AnswerKind, owner};

/// What is promised: the 99th percentile of the first answer.
const TARGET: Duration = Duration::from_millis(50);
/// Interactions of each kind.
const ROUNDS: usize = 300;
/// Tickets for each customer.
const TICKETS_EACH: usize = 10;

fn main() {
    let customers = std::env::args()
        .skip(1)
        .find_map(|argument| argument.parse().ok())
        .unwrap_or(10_000);
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .expect("a runtime starts");
    runtime.block_on(run(customers));
}

async fn run(customers: usize) {
    let desk = GuildDesk::start(Backend::Sqlite).await;
    fill(&desk, customers).await;
    println!(
        "{customers} customers, {} tickets, SQLite, {ROUNDS} interactions each",
        customers * TICKETS_EACH
    );
    println!("{:34} {:>9} {:>9} {:>9}", "", "p50 ms", "p99 ms", "max ms");
    let mut within = true;
    let help = measure(&desk, "help", |_| json!({})).await;
    report("limit: /help, one row read", &help);
    // Every fourth is gov-federal, which chat finds by no name.
    let name = |round: usize| {
        let number = (round * 37) % customers;
        format!("Customer {}", number - number % 4 + round % 3)
    };
    for (label, taken) in [
        (
            "/customer show",
            measure(
                &desk,
                "customer show",
                |round| json!({ "who": name(round) }),
            )
            .await,
        ),
        (
            "/ticket show",
            measure(
                &desk,
                "ticket show",
                |round| json!({ "ticket": TicketNumber(number(round)).to_string() }),
            )
            .await,
        ),
        (
            "/ticket list",
            measure(&desk, "ticket list", |_| json!({})).await,
        ),
        (
            "autocomplete of a customer",
            complete(&desk, "customer show", "who", &name).await,
        ),
        (
            "autocomplete of a ticket",
            complete(&desk, "ticket show", "ticket", &|_| String::new()).await,
        ),
    ] {
        within &= report(label, &taken);
    }
    println!(
        "target: p99 under {TARGET:?}: {}",
        if within { "met" } else { "MISSED" }
    );
}

/// A ticket's number for a round.
fn number(round: usize) -> i64 {
    i64::try_from(round).unwrap_or_default() + 1
}

/// Customers in all four tiers, and tickets made from mail.
async fn fill(desk: &GuildDesk, customers: usize) {
    let tiers = ["standard", "fintech", "healthcare", "gov-federal"];
    let mut toml = String::new();
    for number in 0..customers {
        let tier = tiers[number % 4];
        let _ = write!(
            toml,
            "[[customers]]\nslug = \"customer-{number}\"\nname = \"Customer {number}\"\ntier = \"{tier}\"\n\
             domains = [\"customer-{number}.example\"]\nstatus = \"{}\"\n\
             contacts = [{{ address = \"ops@customer-{number}.example\" }}]\n",
            CustomerStatus::Active
        );
    }
    let records = read(Format::Toml, &toml).expect("the customers can be read");
    import(&desk.test.desk, &owner(), records, false)
        .await
        .expect("the customers can be imported");
    for round in 0..TICKETS_EACH {
        for chunk in (0..customers).collect::<Vec<_>>().chunks(500) {
            let letters: Vec<Letter> = chunk
                .iter()
                .map(|number| {
                    let address = format!("ops@customer-{number}.example");
                    Letter::new(&address, &format!("m{round}-{number}")).silent()
                })
                .collect();
            desk.test.receive_all(&letters).await;
        }
    }
}

async fn measure(
    desk: &GuildDesk,
    command: &str,
    options: impl Fn(usize) -> serde_json::Value,
) -> Vec<Duration> {
    let mut taken = Vec::new();
    for round in 0..ROUNDS {
        let answer = desk
            .discord
            .command(desk.dana, command, options(round))
            .await;
        assert_eq!(answer.kind, AnswerKind::Message, "{command}: {answer:?}");
        assert!(!answer.text().contains("Not done"), "{command}: {answer:?}");
        taken.push(answer.elapsed);
    }
    taken
}

async fn complete(
    desk: &GuildDesk,
    command: &str,
    option: &str,
    typed: &dyn Fn(usize) -> String,
) -> Vec<Duration> {
    let mut taken = Vec::new();
    let person = desk.discord.person(desk.dana);
    for round in 0..ROUNDS {
        let typed = typed(round);
        let asked = person.complete(command, option, &typed, json!({}));
        let answer = asked.await.expect("it can be typed");
        assert!(!answer.choices().is_empty(), "{command}: {answer:?}");
        taken.push(answer.elapsed);
    }
    taken
}

/// Prints a line; returns whether it is within the target.
fn report(label: &str, taken: &[Duration]) -> bool {
    let mut sorted = taken.to_vec();
    sorted.sort();
    // The value below which so many of a hundred lie.
    let at = |percent: usize| sorted[(sorted.len() * percent / 100).min(sorted.len() - 1)];
    let millis = |span: Duration| span.as_secs_f64() * 1_000.0;
    println!(
        "{label:34} {:9.2} {:9.2} {:9.2}",
        millis(at(50)),
        millis(at(99)),
        millis(at(100))
    );
    at(99) < TARGET
}
