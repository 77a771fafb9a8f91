//! A desk with a database of its own.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use sqlx::{AssertSqlSafe, Connection as _, Executor as _, PgConnection};
use tierdesk_core::{
    clock::{Clock, Timestamp},
    customers::exchange::{Format, read},
    desk::{
        Desk, Error, audit,
        import_customers::import,
        receive,
        tickets::{self, TicketDetail},
    },
    permit::{Actor, ReceiveMail, SystemRole},
    receive::{Prepared, Receipt},
    store::{
        Database, MasterKey, OpenOptions, jobs,
        testing::{Backend, TestDatabase},
    },
    tickets::TicketNumber,
};

use crate::Letter;

/// When the tests' day begins: 2026-11-23T09:00:00Z, a Monday.
pub const START: Timestamp = Timestamp::from_seconds(1_795_424_400);

/// A desk, its clock, and where its database is.
#[derive(Debug)]
pub struct TestDesk {
    /// The desk.
    pub desk: Desk,
    /// Moves only by hand.
    pub clock: Clock,
    /// Where another process finds the database.
    pub url: String,
    /// Kept so that the file lives as long as the desk.
    _folder: Option<Box<dyn Send + Sync + std::fmt::Debug>>,
}

/// Databases on the server that this process made.
static MADE: Mutex<Vec<String>> = Mutex::new(Vec::new());

/// Removes the databases that this process made on the server, as far as the server lets it; what
/// is left goes with the server. A test that fails does not come here, so that its database can be
/// looked at.
pub async fn drop_databases() {
    let made = std::mem::take(&mut *MADE.lock().unwrap_or_else(PoisonError::into_inner));
    for url in made {
        let (server, name) = url.rsplit_once('/').expect("the URL ends in a database");
        let mut connection = PgConnection::connect(&format!("{server}/postgres"))
            .await
            .expect("the test server answers");
        let drop = || AssertSqlSafe(format!("DROP DATABASE {name} WITH (FORCE)"));
        // The server's own vacuum may be in there, which only a superuser ends: it goes by itself.
        for _ in 0..20 {
            if connection.execute(drop()).await.is_ok() {
                break;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }
}

/// The owner of the configuration: admin until staff exist.
pub fn owner() -> Actor {
    Actor::OsUser {
        name: "olivia".to_owned(),
        owns_configuration: true,
    }
}

/// The part of the program that takes mail in.
pub fn ingest() -> Actor {
    Actor::System(SystemRole::Ingest)
}

impl TestDesk {
    /// A place for a database that does not exist yet (SQLite) or is empty (PostgreSQL). What it
    /// returns beside the URL must live as long as the database.
    pub async fn place(
        backend: Backend,
    ) -> (String, Option<Box<dyn Send + Sync + std::fmt::Debug>>) {
        let (url, folder) = TestDatabase::place(backend).await;
        if backend == Backend::Postgres {
            let mut made = MADE.lock().unwrap_or_else(PoisonError::into_inner);
            made.push(url.clone());
        }
        (url, folder.map(|folder| Box::new(folder) as _))
    }

    /// An empty desk at [`START`].
    pub async fn new(backend: Backend) -> Self {
        Self::with_key(backend, None).await
    }

    /// An empty desk that seals stored mail with this key: 64 hexadecimal digits.
    pub async fn with_key(backend: Backend, key: Option<&str>) -> Self {
        let (url, folder) = Self::place(backend).await;
        let clock = Clock::manual(START);
        let database = open(&url, clock.clone(), key, true).await;
        Self {
            desk: Desk::new(database),
            clock,
            url,
            _folder: folder,
        }
    }

    /// A desk with the shipped customers.
    pub async fn with_customers(backend: Backend) -> Self {
        let desk = Self::new(backend).await;
        desk.import_shipped_customers().await;
        desk
    }

    /// Brings in config/customers.toml.
    pub async fn import_shipped_customers(&self) {
        let text = include_str!("../../config/customers.toml");
        let records = read(Format::Toml, text).expect("the shipped customers can be read");
        import(&self.desk, &owner(), records, false)
            .await
            .expect("the shipped customers can be imported");
    }

    /// The same database as another process sees it, with its own clock and key.
    pub async fn open_again(&self, clock: Clock, key: Option<&str>) -> Database {
        open(&self.url, clock, key, false).await
    }

    /// Moves the clock.
    pub fn pass(&self, span: Duration) {
        self.clock.advance(span);
    }

    /// Receives letters in one batch.
    pub async fn receive_all(&self, letters: &[Letter]) -> Vec<Receipt> {
        let items: Vec<Prepared> = letters.iter().map(Letter::prepared).collect();
        self.try_receive(items).await.expect("mail is received")
    }

    /// Receives what is prepared, in one batch.
    pub async fn try_receive(&self, items: Vec<Prepared>) -> Result<Vec<Receipt>, Error> {
        receive::receive(&self.desk, &ingest(), ReceiveMail, &items).await
    }

    /// Receives one letter.
    pub async fn receive(&self, letter: &Letter) -> Receipt {
        self.receive_all(std::slice::from_ref(letter))
            .await
            .remove(0)
    }

    /// Receives a letter that must be on a ticket, and tells which.
    pub async fn receive_on(&self, letter: &Letter) -> TicketNumber {
        let receipt = self.receive(letter).await;
        receipt.ticket.expect("it is on a ticket")
    }

    /// Refuses jobs that are not done, and an audit chain that does not hold.
    pub async fn nothing_is_left(&self) {
        let mut tx = self.desk.database.begin_read().await.expect("it begins");
        let unfinished = jobs::count_unfinished(&mut tx).await.expect("it counts");
        assert_eq!(unfinished, 0, "jobs left over");
        drop(tx);
        let verdict = audit::verify(&self.desk, &owner()).await;
        let verdict = verdict.expect("it can be checked");
        assert!(verdict.ok, "the audit chain holds: {verdict:?}");
    }

    /// A ticket with its messages.
    pub async fn ticket(&self, number: TicketNumber) -> TicketDetail {
        tickets::show(&self.desk, &owner(), number)
            .await
            .expect("the ticket can be read")
    }
}

/// An existing database is opened without the checks of an ordinary start, which refuse what some
/// tests look at.
async fn open(url: &str, clock: Clock, key: Option<&str>, is_new: bool) -> Database {
    let key = key.map(|digits| MasterKey::parse(digits).expect("64 hexadecimal digits"));
    let options = OpenOptions {
        clock,
        master_key: key.map(Arc::new),
        migrate_empty: is_new,
        ..OpenOptions::new(url)
    };
    options.open().await.expect("the database opens")
}
