//! Whether the desk is well, for whoever watches it from outside: a balancer, a monitor, a person in a
//! hurry.
//!
//! Nobody has to show who they are, so nothing is said that belongs to anyone: times and fixed words. It
//! reads and never writes, and it answers within its time whatever the database does.
//!
//! To add a check: a function here that reads what it needs in the transaction at hand and gives a
//! [`Check`], called in [`look`].

use std::time::Duration;

use serde::Serialize;

use super::{Desk, watchdog};
use crate::{
    store::{StoreError, Tx, audit, jobs, pages},
    telemetry,
};

/// For all of it. Those who ask give up after ten seconds or so.
const PATIENCE: Duration = Duration::from_secs(2);
/// A worker claims what is due within a second. Longer, and there is none, or it does not keep up.
const JOBS_OVERDUE: Duration = Duration::from_mins(5);
/// Pages are gone through every second.
const PAGES_OVERDUE: Duration = Duration::from_mins(2);
/// Entries are sealed every second.
const SEAL_OVERDUE: Duration = Duration::from_mins(5);

/// How the desk is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Health {
    /// Whether all of it is well.
    #[serde(rename = "ok")]
    pub is_ok: bool,
    /// `ok`, or what is wrong with the database.
    pub database: &'static str,
    /// How long the oldest job that is due waits; nothing where the database does not answer.
    pub jobs_overdue_seconds: Option<u64>,
    /// How long ago the desk last heard itself; nothing where it does not test itself, or never did.
    pub watchdog_age_seconds: Option<u64>,
    /// Everything that was looked at.
    pub checks: Vec<Check>,
}

/// One thing that was looked at.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Check {
    /// What; it stays the same.
    pub name: &'static str,
    /// Whether it is well.
    #[serde(rename = "ok")]
    pub is_ok: bool,
    /// In words.
    pub detail: String,
}

impl Health {
    fn away(database: &'static str) -> Self {
        let check = Check {
            name: "database",
            is_ok: false,
            detail: database.to_owned(),
        };
        Self {
            is_ok: false,
            database,
            jobs_overdue_seconds: None,
            watchdog_age_seconds: None,
            checks: vec![check],
        }
    }
}

/// Looks at everything.
pub async fn look(desk: &Desk) -> Health {
    match tokio::time::timeout(PATIENCE, read(desk)).await {
        Ok(Ok(health)) => health,
        Ok(Err(error)) => {
            // Its words may name files and servers: they are for the log.
            let error = telemetry::chain(&error);
            tracing::warn!(
                error,
                "the database could not be asked for the desk's health"
            );
            Health::away("it cannot be read")
        }
        Err(_) => {
            tracing::warn!(patience = ?PATIENCE, "the database did not answer in time");
            Health::away("it does not answer")
        }
    }
}

async fn read(desk: &Desk) -> Result<Health, StoreError> {
    let mut tx = desk.database.begin_read().await?;
    let overdue = match jobs::oldest_due(&mut tx).await? {
        Some(at) => tx.now().since(at),
        None => Duration::ZERO,
    };
    let database = Check {
        name: "database",
        is_ok: true,
        detail: "it answers".to_owned(),
    };
    let watchdog = watchdog::standing(&mut tx, desk.watchdog).await?;
    let age = watchdog.age;
    let checks = vec![
        database,
        check_jobs(overdue),
        check_audit(&mut tx).await?,
        check_pages(&mut tx).await?,
        Check {
            name: "watchdog",
            is_ok: watchdog.is_ok,
            detail: watchdog.detail,
        },
    ];
    Ok(Health {
        is_ok: checks.iter().all(|check| check.is_ok),
        database: "ok",
        jobs_overdue_seconds: Some(overdue.as_secs()),
        watchdog_age_seconds: age.map(|age| age.as_secs()),
        checks,
    })
}

fn check_jobs(overdue: Duration) -> Check {
    let detail = match overdue.as_secs() {
        0 => "nothing waits".to_owned(),
        seconds => format!("what is due waits for {seconds} s"),
    };
    Check {
        name: "jobs",
        is_ok: overdue < JOBS_OVERDUE,
        detail,
    }
}

async fn check_audit(tx: &mut Tx) -> Result<Check, StoreError> {
    let unsealed = audit::oldest_unsealed(tx).await?;
    let waits = unsealed.map(|at| tx.now().since(at));
    Ok(Check {
        name: "audit",
        is_ok: waits.is_none_or(|waits| waits < SEAL_OVERDUE),
        detail: match waits {
            None => "every entry is sealed".to_owned(),
            Some(waits) => format!("an entry waits to be sealed for {} s", waits.as_secs()),
        },
    })
}

/// Whether every page that is not over will reach somebody.
async fn check_pages(tx: &mut Tx) -> Result<Check, StoreError> {
    let overdue = tx.now().minus(PAGES_OVERDUE);
    let broken = pages::list_broken(tx, overdue).await?.len();
    let unanswered = pages::count_unanswered(tx).await?;
    Ok(Check {
        name: "pages",
        is_ok: broken == 0,
        detail: match broken {
            0 => format!("each reaches somebody; nobody has {unanswered} of them yet"),
            _ => format!("{broken} will reach nobody as they are"),
        },
    })
}
