//! The program is killed, again and again, and run again: nothing is lost, nothing doubled, and
//! the audit chain holds.

mod deliver;
mod import;
mod served;
pub(crate) mod worker;

use std::collections::BTreeMap;

use tierdesk_core::{
    desk::{Desk, tickets},
    store::{OpenOptions, tickets::Filter},
    tickets::Status,
};
use tierdesk_tests::{Program, owner};

/// What a desk holds, as far as an interruption could change it: per ticket its subject, opener,
/// status and the texts on it, however the tickets were numbered.
async fn state(program: &Program) -> BTreeMap<String, usize> {
    let database = OpenOptions::new(program.url())
        .open()
        .await
        .expect("the database opens");
    let (desk, owner) = (Desk::new(database), owner());
    let filter = Filter {
        statuses: Status::ALL.to_vec(),
        limit: i64::MAX,
        ..Filter::default()
    };
    let mut state = BTreeMap::new();
    for ticket in tickets::list(&desk, &owner, &filter)
        .await
        .expect("tickets are listed")
    {
        let detail = tickets::show(&desk, &owner, ticket.number)
            .await
            .expect("a ticket is shown");
        let messages = detail.messages.iter();
        let messages = messages.map(|one| format!("{}|{}|{}", one.from, one.kind, one.text));
        let messages: Vec<String> = messages.collect();
        let key = format!(
            "{}|{}|{}|{:?}|{}",
            ticket.subject,
            ticket.requester,
            ticket.status,
            ticket.customer,
            messages.join("\n")
        );
        *state.entry(key).or_default() += 1;
    }
    desk.database.close().await;
    state
}

/// Nothing waits, and the chain holds.
pub(crate) fn assert_settled(program: &Program) {
    let jobs = program.run(&["jobs", "list", "--json"]).done().json();
    assert_eq!(
        jobs.as_array().map(Vec::len),
        Some(0),
        "jobs are left: {jobs}"
    );
    let audit = program.run(&["audit", "verify", "--json"]).done().json();
    assert_eq!(audit["ok"], true, "{audit}");
}
