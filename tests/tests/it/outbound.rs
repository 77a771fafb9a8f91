//! Mail goes out over real sockets: to a relay that misbehaves as it is told to, and to Debian's Postfix.

mod crash;
mod faults;
mod login;
mod pool;
mod postfix;
mod routes;
mod webhooks;

use std::{collections::HashMap, fmt::Write as _, sync::Arc, time::Duration};

use tierdesk_core::{
    desk::{
        Desk,
        outbox::{self, LetterReport},
        reply::{self, NewReply},
    },
    jobs::{
        Handler,
        worker::{Tick, Worker},
    },
    outgoing::{AccessTokens, MailOut, Party},
    reply_token::ReplyTokens,
    settings::{Relay as RelaySettings, Settings, SmtpRoute},
    tickets::TicketNumber,
};
use tierdesk_outbound::{
    compose::Composer,
    relay::{Relay, Relays, Smtp},
    send::SendMail,
    templates::Templates,
};
use tierdesk_tests::{Backend, Letter, TestDesk, fake_smtp::FakeSmtp, owner};

const SUPPORT: &str = "support@securebase.example";
const JOHN: &str = "john@acmefinance.com";
/// For a step, and for the whole: short, and still enough for a busy machine.
const STEP: Duration = Duration::from_millis(800);
const WHOLE: Duration = Duration::from_millis(2_500);

/// A desk with customers from which mail leaves, with a worker that is driven by hand.
struct Office {
    test: TestDesk,
}

impl Office {
    async fn open(backend: Backend) -> Self {
        let mut test = TestDesk::with_customers(backend).await;
        equip(&mut test.desk);
        Self { test }
    }

    /// A ticket of John's with an answer that is due.
    async fn answered(&self, id: &str) -> TicketNumber {
        let number = self.test.receive_on(&Letter::new(JOHN, id)).await;
        self.answer(number, "It works **again**.\n\n.\nDana").await;
        number
    }

    async fn answer(&self, number: TicketNumber, text: &str) {
        let new = NewReply {
            text: text.to_owned(),
            is_at_once: true,
            ..NewReply::default()
        };
        let answered = reply::reply(&self.test.desk, &owner(), number, new).await;
        answered.expect("it is answered");
    }

    fn worker(&self, relays: Relays) -> Worker {
        let send: Arc<dyn Handler> = Arc::new(SendMail {
            desk: Arc::new(self.test.desk.clone()),
            relays: Arc::new(relays),
        });
        Worker::new(self.test.desk.database.clone(), "sender", vec![send])
    }

    async fn tick(&self, worker: &Worker) -> Tick {
        let tick = worker.tick().await.expect("the queue can be read");
        // What follows is later, even on a clock that stands still.
        self.test.pass(Duration::from_millis(1));
        tick
    }

    /// The one letter about a ticket.
    async fn letter(&self, number: TicketNumber) -> LetterReport {
        let letters = outbox::of_ticket(&self.test.desk, &owner(), number).await;
        let mut letters = letters.expect("they can be read");
        assert_eq!(letters.len(), 1, "{letters:?}");
        letters.remove(0)
    }

    async fn header_id(&self, number: TicketNumber) -> String {
        let sql = format!(
            "SELECT header_id FROM messages WHERE direction = 'out' AND ticket_id =
                (SELECT id FROM tickets WHERE number = {})",
            number.0
        );
        let mut ids: Vec<(String,)> = self.test.look(&sql).await;
        ids.pop().expect("there is one").0
    }
}

/// Lets mail leave this desk.
fn equip(desk: &mut Desk) {
    let address = SUPPORT.parse().expect("an address");
    let secret = "a secret of the tests, and long enough";
    let none: [&str; 0] = [];
    desk.reply_tokens = Some(Arc::new(ReplyTokens::new(secret, none, &address)));
    desk.own_address = Some(address.clone());
    desk.mail_out = Some(Arc::new(MailOut {
        composer: Arc::new(Composer::new(Templates::shipped())),
        sender: Party::new(address),
        tier_senders: HashMap::new(),
        enforces_tls: std::collections::HashSet::new(),
    }));
}

/// The settings of the one relay in this configuration.
fn settings(relay: &str) -> RelaySettings {
    let text = format!("[mail]\naddress = {SUPPORT:?}\n[[mail.relay]]\n{relay}\n");
    let settings = Settings::parse(Some(("test.toml", &text)), std::iter::empty())
        .unwrap_or_else(|fault| panic!("{fault}"));
    match settings.mail.out.default {
        Some(SmtpRoute::Server(relay)) => *relay,
        other => panic!("{other:?}"),
    }
}

/// A way to this server by STARTTLS, with more configuration.
fn smtp(
    server: &FakeSmtp,
    more: &str,
    tokens: Option<Arc<dyn AccessTokens>>,
) -> (Arc<Smtp>, tempfile::TempDir) {
    smtp_at(
        &format!("smtp://{}", server.address()),
        server,
        more,
        tokens,
    )
}

fn smtp_at(
    url: &str,
    server: &FakeSmtp,
    more: &str,
    tokens: Option<Arc<dyn AccessTokens>>,
) -> (Arc<Smtp>, tempfile::TempDir) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let ca = folder.path().join("relay.pem");
    std::fs::write(&ca, server.certificate()).expect("it is written");
    let mut text = format!("url = {url:?}\nca_file = {:?}\n", ca.display().to_string());
    if !more.contains("tls =") && !url.starts_with("smtps") {
        text.push_str("tls = \"required\"\n");
    }
    writeln!(text, "{more}").expect("text takes text");
    let smtp = Smtp::new(settings(&text), tokens).expect("it can be set up");
    (Arc::new(smtp.patient(STEP, WHOLE)), folder)
}

fn only(smtp: &Arc<Smtp>) -> Relays {
    Relays {
        default: Relay::Smtp(Arc::clone(smtp)),
        by_domain: HashMap::new(),
    }
}
