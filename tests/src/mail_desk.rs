//! A desk whose mail leaves into a folder, and a worker driven by hand.

use std::{collections::HashMap, fs, path::PathBuf, sync::Arc, time::Duration};

use tierdesk_core::{
    desk::reply::{self, NewReply, Replied},
    ids::OutgoingId,
    jobs::worker::Worker,
    mail::{Envelope, Mail},
    outgoing::{HeaderText, MailOut, Party},
    receive::{Receipt, Road},
    reply_token::ReplyTokens,
    store::outgoing,
    tickets::TicketNumber,
};
use tierdesk_ingest::{parse::parse, process::deliver};
use tierdesk_outbound::{
    compose::Composer,
    relay::{Folder, Relay, Relays},
    send::{SendMail, SendReceipt},
    templates::Templates,
};

use crate::{Backend, Letter, TestDesk, owner};

/// The support address.
pub const SUPPORT: &str = "support@securebase.example";

/// A desk that sends mail.
pub struct MailDesk {
    /// The desk.
    pub test: TestDesk,
    postbox: Postbox,
}

/// Where the mail of a desk leaves to, and whoever hands it over.
pub struct Postbox {
    folder: tempfile::TempDir,
}

/// A mail that left.
#[derive(Debug)]
pub struct SentMail {
    /// The envelope recipient.
    pub recipient: String,
    /// As our own parser reads it.
    pub mail: Mail,
    /// Its bytes.
    pub raw: Vec<u8>,
}

impl SentMail {
    /// The header block as text.
    pub fn head(&self) -> String {
        let text = String::from_utf8_lossy(&self.raw);
        let head = text.split("\r\n\r\n").next().unwrap_or_default();
        head.replace("\r\n ", " ")
    }

    /// The value of a header, if there is one.
    pub fn header(&self, name: &str) -> Option<String> {
        let head = self.head();
        let mut lines = head.split("\r\n");
        let line = lines.find(|line| {
            let start = line.split(':').next().unwrap_or_default();
            start.eq_ignore_ascii_case(name)
        })?;
        Some(line.split_once(':')?.1.trim().to_owned())
    }
}

impl Postbox {
    /// Opens the way out of a desk, with the shipped templates, from this support address.
    pub fn of(test: &mut TestDesk, address: &str) -> Self {
        // Each desk has a secret of its own, or one would take the other's tickets for its own.
        let secret = format!("a secret of thirty-two characters! {address}");
        let address = address.parse().expect("it is an address");
        test.desk.reply_tokens = Some(Arc::new(ReplyTokens::new(&secret, [], &address)));
        test.desk.own_address = Some(address.clone());
        test.desk.authserv_id = Some(MailDesk::CHECKER.to_owned());
        test.desk.mail_out = Some(Arc::new(MailOut {
            composer: Arc::new(Composer::new(Templates::shipped())),
            sender: Party {
                address,
                name: Some(HeaderText::new("SecureBase support")),
            },
            tier_senders: HashMap::new(),
            enforces_tls: std::collections::HashSet::default(),
        }));
        Self {
            folder: tempfile::tempdir().expect("a temporary folder"),
        }
    }

    /// Whoever hands letters over.
    pub fn worker(&self, test: &TestDesk) -> Worker {
        let desk = Arc::new(test.desk.clone());
        let relays = Relays {
            default: Relay::Folder(Arc::new(Folder::new(self.folder.path()))),
            by_domain: HashMap::new(),
        };
        let send = Arc::new(SendMail {
            desk: Arc::clone(&desk),
            relays: Arc::new(relays),
        });
        let receipts = Arc::new(SendReceipt { desk });
        let database = test.desk.database.clone();
        Worker::new(database, "mail", vec![send, receipts])
    }

    /// Does what is due now, and tells what left, by recipient.
    pub async fn post(&self, test: &TestDesk) -> Vec<SentMail> {
        self.worker(test)
            .drain()
            .await
            .expect("the queue can be read");
        let mut files: Vec<PathBuf> = match fs::read_dir(self.folder.path()) {
            Ok(entries) => entries
                .map(|entry| entry.expect("it is read").path())
                .collect(),
            Err(_) => Vec::new(),
        };
        files.sort();
        let mut sent = Vec::new();
        for file in files {
            let raw = fs::read(&file).expect("it can be read");
            fs::remove_file(&file).expect("it can be removed");
            let name = file.file_stem().unwrap_or_default().to_string_lossy();
            let id: OutgoingId = name.parse().expect("it is named after its letter");
            let mut tx = test.desk.database.begin_read().await.expect("it begins");
            let letter = outgoing::find(&mut tx, id).await.expect("it is read");
            sent.push(SentMail {
                recipient: letter.expect("it is in the books").recipient,
                mail: parse(&raw, &Envelope::default()),
                raw,
            });
        }
        sent
    }
}

impl MailDesk {
    /// The server whose word on senders is believed.
    pub const CHECKER: &'static str = "mx.securebase.example";

    /// With the shipped customers and templates.
    pub async fn start(backend: Backend) -> Self {
        Self::start_at(backend, SUPPORT).await
    }

    /// The same at another support address.
    pub async fn start_at(backend: Backend, address: &str) -> Self {
        let mut test = TestDesk::with_customers(backend).await;
        let postbox = Postbox::of(&mut test, address);
        Self { test, postbox }
    }

    /// With the shipped customers and templates, and a key under which stored mail is sealed.
    pub async fn sealing(backend: Backend, key: &str) -> Self {
        let mut test = TestDesk::with_key(backend, Some(key)).await;
        test.import_shipped_customers().await;
        let postbox = Postbox::of(&mut test, SUPPORT);
        Self { test, postbox }
    }

    /// Whoever hands letters over.
    pub fn worker(&self) -> Worker {
        self.postbox.worker(&self.test)
    }

    /// Does what is due now, and tells what left, by recipient.
    pub async fn post(&self) -> Vec<SentMail> {
        self.postbox.post(&self.test).await
    }

    /// Lets the time pass in which an answer can be taken back, and posts.
    pub async fn post_later(&self) -> Vec<SentMail> {
        self.test.pass(Duration::from_secs(21));
        self.post().await
    }

    /// Answers as the owner.
    pub async fn reply(&self, number: TicketNumber, text: &str) -> Replied {
        let new = NewReply {
            text: text.to_owned(),
            ..NewReply::default()
        };
        reply::reply(&self.test.desk, &owner(), number, new)
            .await
            .expect("it is answered")
    }

    /// A mail from somebody whose server is believed.
    pub fn proven(from: &str, id: &str) -> Letter {
        let address = from
            .rsplit('<')
            .next()
            .unwrap_or(from)
            .trim_end_matches('>');
        let domain = address.rsplit_once('@').map_or("", |(_, domain)| domain);
        let checker = Self::CHECKER;
        let found = format!("Authentication-Results: {checker}; dmarc=pass header.from={domain}");
        Letter::new(from, id).header(&found)
    }

    /// Takes a letter in as a mail server's pipe does.
    pub async fn receive(&self, letter: &Letter) -> Receipt {
        self.receive_raw(&letter.bytes()).await
    }

    /// The same for the bytes of a mail.
    pub async fn receive_raw(&self, raw: &[u8]) -> Receipt {
        deliver(&self.test.desk, Road::Deliver, Envelope::default(), raw)
            .await
            .expect("it is taken")
    }

    /// The bytes of a mail from this domain as its server hands them over that is believed.
    pub fn vouched(domain: &str, raw: &[u8]) -> Vec<u8> {
        let checker = Self::CHECKER;
        let found =
            format!("Authentication-Results: {checker}; dmarc=pass header.from={domain}\r\n");
        [found.as_bytes(), raw].concat()
    }

    /// The same for one that must be on a ticket.
    pub async fn receive_on(&self, letter: &Letter) -> TicketNumber {
        let receipt = self.receive(letter).await;
        receipt.ticket.expect("it is on a ticket")
    }

    /// Nothing is left to be done, and the audit chain holds.
    pub async fn end(self) {
        let left = self.post().await;
        assert!(left.is_empty(), "mail that nobody expected: {left:#?}");
        self.test.nothing_is_left().await;
    }
}
