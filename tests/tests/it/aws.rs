//! The AWS adapter with the real SDK: against our own server around the simulated machine, and
//! against moto, which others wrote.

mod moto;
mod onboarding;
mod operations;
mod picture;
mod refusals;
mod silence;
mod walk;

use std::time::Duration;

use tierdesk_core::{clock::Clock, cloud::NewAccount};
use tierdesk_provision::simulated::{Pace, Simulated};
use tierdesk_tests::{START, aws_server::AwsServer};

/// A fresh organisation at our own server, with a clock that is moved by hand.
async fn server() -> (AwsServer, Clock) {
    let clock = Clock::manual(START);
    let machine = Simulated::new(7, Pace::REAL);
    (AwsServer::start(machine, clock.clone()).await, clock)
}

fn account(name: &str) -> NewAccount {
    NewAccount {
        name: name.to_owned(),
        email: format!("aws+{name}@securebase.example")
            .parse()
            .expect("an address"),
        role: "OrganizationAccountAccessRole".to_owned(),
        tags: [("tierdesk:run".to_owned(), format!("run-{name}"))].into(),
    }
}

/// Long enough for whatever AWS takes a while for.
const AN_HOUR: Duration = Duration::from_hours(1);
