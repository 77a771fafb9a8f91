//! A letter, written as RFC 5322 text and read by the program's own parser.

use tierdesk_core::{
    ids::{BlobId, InboxId},
    mail::Envelope,
    receive::{Arrival, Prepared, Road, prepare},
};
use tierdesk_ingest::parse::parse;

/// A mail under construction.
#[derive(Clone, Debug)]
pub struct Letter {
    from: String,
    subject: String,
    id: String,
    body: String,
    headers: Vec<String>,
    files: Vec<(String, Vec<u8>)>,
    is_silent: bool,
}

impl Letter {
    /// A letter from `from` with the Message-ID `<id@mail.example>`, a subject and a text.
    pub fn new(from: &str, id: &str) -> Self {
        Self {
            from: from.to_owned(),
            subject: format!("About {id}"),
            id: id.to_owned(),
            body: format!("Text of {id}."),
            headers: Vec::new(),
            files: Vec::new(),
            is_silent: false,
        }
    }

    /// Another subject.
    #[must_use]
    pub fn subject(mut self, subject: &str) -> Self {
        subject.clone_into(&mut self.subject);
        self
    }

    /// Another text.
    #[must_use]
    pub fn body(mut self, body: &str) -> Self {
        body.clone_into(&mut self.body);
        self
    }

    /// An answer to the letter with this id.
    #[must_use]
    pub fn answers(self, id: &str) -> Self {
        self.header(&format!("In-Reply-To: <{id}@mail.example>"))
    }

    /// One more header line.
    #[must_use]
    pub fn header(mut self, line: &str) -> Self {
        self.headers.push(line.to_owned());
        self
    }

    /// The Date header, an RFC 5322 date.
    #[must_use]
    pub fn date(self, date: &str) -> Self {
        self.header(&format!("Date: {date}"))
    }

    /// A file that goes along.
    #[must_use]
    pub fn attach(mut self, name: &str, content: &[u8]) -> Self {
        self.files.push((name.to_owned(), content.to_vec()));
        self
    }

    /// History.
    #[must_use]
    pub fn silent(mut self) -> Self {
        self.is_silent = true;
        self
    }

    /// The bytes as they travel.
    pub fn bytes(&self) -> Vec<u8> {
        let mut lines = self.headers.clone();
        lines.extend([
            format!("From: {}", self.from),
            "To: support@securebase.example".to_owned(),
            format!("Subject: {}", self.subject),
            format!("Message-ID: <{}@mail.example>", self.id),
            "MIME-Version: 1.0".to_owned(),
        ]);
        let text = [
            "Content-Type: text/plain; charset=utf-8".to_owned(),
            String::new(),
            self.body.replace('\n', "\r\n"),
        ];
        if self.files.is_empty() {
            lines.extend(text);
        } else {
            lines.push("Content-Type: multipart/mixed; boundary=b".to_owned());
            lines.extend([String::new(), "--b".to_owned()]);
            lines.extend(text);
            for (name, content) in &self.files {
                lines.extend([
                    "--b".to_owned(),
                    "Content-Type: application/octet-stream".to_owned(),
                    format!("Content-Disposition: attachment; filename=\"{name}\""),
                    "Content-Transfer-Encoding: base64".to_owned(),
                    String::new(),
                    data_encoding::BASE64.encode(content),
                ]);
            }
            lines.push("--b--\r\n".to_owned());
        }
        lines.join("\r\n").into_bytes()
    }

    /// Read, masked and packed, as it comes to the desk.
    pub fn prepared(&self) -> Prepared {
        self.prepare(None)
    }

    /// The same for a letter whose bytes wait in the inbox.
    pub fn prepared_from(&self, inbox: InboxId, blob: BlobId) -> Prepared {
        self.prepare(Some((inbox, blob)))
    }

    fn prepare(&self, stored: Option<(InboxId, BlobId)>) -> Prepared {
        let raw = self.bytes();
        let envelope = Envelope::default();
        let arrival = Arrival {
            mail: parse(&raw, &envelope),
            raw,
            envelope,
            road: Road::Deliver,
            origin: None,
            is_silent: self.is_silent,
            stored,
            evidence: None,
            claims: Vec::new(),
        };
        prepare(arrival, None)
    }
}
