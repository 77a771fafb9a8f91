//! One SMTP or LMTP session as a machine: bytes in, replies out, and now and then something that
//! the driver must do. It neither reads, writes nor waits, and has no clock.
//!
//! What always holds: a mail is handed over only between a DATA that had a recipient and CR LF .
//! CR LF; it is answered once for SMTP and once a recipient for LMTP (RFC 2033, 4.2), and only by
//! [`Session::settle`]; nothing that came before TLS is remembered after it (RFC 3207, 4.2).
//!
//! To add a command: an arm in `Session::command`, a reply, a case in the tests beside this.

use std::{mem, sync::Arc};

use memchr::memchr;
use smtp_proto::{
    Error, MAIL_BODY_7BIT, MAIL_BODY_8BITMIME, MAIL_SMTPUTF8, MailFrom, RcptTo, Request,
};
use tierdesk_core::settings::MailProtocol;

use super::{
    content::{Content, Fault},
    recipients::Recipients,
    reply::{self, Reply},
};

/// What holds for every session of a listener.
#[derive(Clone, Debug)]
pub struct Rules {
    /// SMTP or LMTP.
    pub protocol: MailProtocol,
    /// How the listener calls itself.
    pub hostname: String,
    /// Whom mail is taken for.
    pub recipients: Recipients,
    /// The longest mail in bytes.
    pub mail_bytes: usize,
    /// Whether STARTTLS is offered.
    pub has_tls: bool,
}

/// The longest command with its CR LF. RFC 5321, 4.5.3.1 asks for 512, and extensions for more.
const LINE_BYTES: usize = 2_048;
/// Recipients of one mail: what RFC 5321, 4.5.3.1.8 asks for at least.
const RECIPIENTS: usize = 100;
/// Commands that were refused in one session.
const ERRORS: usize = 20;
/// Commands since the last mail, or since the beginning, that brought none nearer.
const IDLE_COMMANDS: usize = 100;
/// Commands of one session: some three thousand mails.
const COMMANDS: usize = 10_000;

/// What the driver does next.
#[derive(Debug)]
pub enum Step {
    /// Everything was taken: send what there is to say, and read on.
    Read,
    /// Send, then do the TLS handshake, then call [`Session::start_tls`].
    StartTls,
    /// Commit this mail, then call [`Session::settle`].
    Store(Submission),
    /// Send, then close.
    Close,
}

/// A mail that was received whole.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Submission {
    /// The envelope sender; empty for the null path.
    pub from: String,
    /// The envelope recipients, each once.
    pub recipients: Vec<String>,
    /// What the client called itself.
    pub helo: String,
    /// The mail.
    pub content: Vec<u8>,
}

/// What became of a mail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It is committed.
    Stored,
    /// It may or may not be: the client must send it again.
    NotStored,
    /// There was no room to wait for the commit.
    NoRoom,
}

/// Why the driver ends a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// The client took too long.
    TimedOut,
    /// The process is being stopped.
    Stopping,
}

/// A mail under way.
#[derive(Debug, Default)]
struct Transaction {
    from: String,
    declared: usize,
    is_utf8: bool,
    recipients: Vec<String>,
}

#[derive(Debug)]
enum Phase {
    /// The bytes of a line that is not whole yet.
    Command(Vec<u8>),
    Content(Content),
    /// A mail was handed over, for this many answers.
    Waiting(usize),
    Closed,
}

/// One session.
#[derive(Debug)]
pub struct Session {
    rules: Arc<Rules>,
    is_encrypted: bool,
    phase: Phase,
    helo: Option<String>,
    transaction: Option<Transaction>,
    errors: usize,
    idle_commands: usize,
    commands: usize,
}

impl Session {
    /// A session that has just begun.
    pub fn new(rules: Arc<Rules>) -> Self {
        Self {
            rules,
            is_encrypted: false,
            phase: Phase::Command(Vec::new()),
            helo: None,
            transaction: None,
            errors: 0,
            idle_commands: 0,
            commands: 0,
        }
    }

    /// The first words.
    pub fn greet(&self, out: &mut Vec<u8>) {
        let protocol = match self.rules.protocol {
            MailProtocol::Lmtp => "LMTP",
            MailProtocol::Smtp => "ESMTP",
        };
        let line = format!("220 {} {protocol} tierdesk\r\n", self.rules.hostname);
        out.extend_from_slice(line.as_bytes());
    }

    /// Takes bytes, as far as the next thing to be done. Returns how many were taken; the rest is
    /// handed in again afterwards.
    pub fn receive(&mut self, bytes: &[u8], out: &mut Vec<u8>) -> (usize, Step) {
        let mut taken = 0;
        while taken < bytes.len() {
            let rest = &bytes[taken..];
            let step = match &mut self.phase {
                Phase::Command(line) => {
                    let Some(end) = memchr(b'\n', rest) else {
                        line.extend_from_slice(rest);
                        if line.len() > LINE_BYTES {
                            return (bytes.len(), self.close(reply::LINE_TOO_LONG, out));
                        }
                        return (bytes.len(), Step::Read);
                    };
                    line.extend_from_slice(&rest[..=end]);
                    taken += end + 1;
                    let line = mem::take(line);
                    self.line(&line, taken < bytes.len(), out)
                }
                Phase::Content(content) => {
                    let (read, is_whole) = content.receive(rest);
                    taken += read;
                    if is_whole {
                        self.finish_content(out)
                    } else if content.is_endless() {
                        self.close(reply::ENDLESS, out)
                    } else {
                        Step::Read
                    }
                }
                Phase::Waiting(_) => return (taken, Step::Read),
                Phase::Closed => return (bytes.len(), Step::Close),
            };
            if !matches!(step, Step::Read) {
                return (taken, step);
            }
        }
        (taken, Step::Read)
    }

    /// Answers the mail that was handed over.
    pub fn settle(&mut self, verdict: Verdict, out: &mut Vec<u8>) {
        let Phase::Waiting(answers) = self.phase else {
            return;
        };
        self.phase = Phase::Command(Vec::new());
        self.idle_commands = 0;
        let reply = match verdict {
            Verdict::Stored => Reply("250 2.0.0 the mail is stored"),
            Verdict::NotStored => reply::NOT_STORED,
            Verdict::NoRoom => reply::NO_ROOM,
        };
        for _ in 0..answers {
            reply.write(out);
        }
    }

    /// Begins again, encrypted.
    pub fn start_tls(&mut self) {
        self.is_encrypted = true;
        self.phase = Phase::Command(Vec::new());
        self.helo = None;
        self.transaction = None;
    }

    /// Says why the session ends now.
    pub fn end(&mut self, why: Ending, out: &mut Vec<u8>) {
        if matches!(self.phase, Phase::Closed) {
            return;
        }
        let reply = match why {
            Ending::TimedOut => reply::TIMED_OUT,
            Ending::Stopping => reply::STOPPING,
        };
        self.close(reply, out);
    }

    /// How many bytes of mail it holds.
    pub fn held(&self) -> usize {
        match &self.phase {
            Phase::Content(content) => content.held(),
            _ => 0,
        }
    }

    /// Lets go of the mail it is reading, which is then refused for now.
    pub fn let_go(&mut self) {
        if let Phase::Content(content) = &mut self.phase {
            content.condemn(Fault::NoRoom);
        }
    }

    /// Whether a mail is being read.
    pub fn is_in_content(&self) -> bool {
        matches!(self.phase, Phase::Content(_))
    }

    /// How many commands there were: a client that sends none makes no progress.
    pub fn commands(&self) -> usize {
        self.commands
    }

    fn close(&mut self, reply: Reply, out: &mut Vec<u8>) -> Step {
        reply.write(out);
        self.phase = Phase::Closed;
        Step::Close
    }

    /// One whole line. `has_more` says whether bytes came with it.
    fn line(&mut self, line: &[u8], has_more: bool, out: &mut Vec<u8>) -> Step {
        if line.len() > LINE_BYTES {
            return self.close(reply::LINE_TOO_LONG, out);
        }
        let Some(text) = line
            .strip_suffix(b"\r\n")
            .filter(|text| !text.contains(&b'\r'))
        else {
            return self.close(reply::COMMAND_LINE_END, out);
        };
        self.commands += 1;
        self.idle_commands += 1;
        if self.commands > COMMANDS || self.idle_commands > IDLE_COMMANDS {
            return self.close(reply::TOO_MANY_COMMANDS, out);
        }
        let is_plain = |c: char| !c.is_control() || c == '\t';
        let reply = match std::str::from_utf8(text) {
            Ok(text) if text.chars().all(is_plain) => match Request::parse(&mut line.iter()) {
                Ok(Request::StartTls) if self.may_start_tls() => {
                    return self.begin_tls(has_more, out);
                }
                Ok(Request::Quit) => return self.close(reply::BYE, out),
                Ok(Request::Data) => match self.begin_content() {
                    Ok(()) => reply::GO_ON,
                    Err(refusal) => refusal,
                },
                Ok(request) => match self.command(request, text, out) {
                    Some(reply) => reply,
                    None => return Step::Read,
                },
                Err(error) => refusal_of(&error),
            },
            _ => reply::NOT_TEXT,
        };
        reply.write(out);
        if reply.is_refusal() {
            self.errors += 1;
            if self.errors >= ERRORS {
                return self.close(reply::TOO_MANY_ERRORS, out);
            }
        }
        Step::Read
    }

    fn may_start_tls(&self) -> bool {
        self.rules.has_tls && !self.is_encrypted
    }

    fn begin_tls(&mut self, has_more: bool, out: &mut Vec<u8>) -> Step {
        // What follows in clear text would be obeyed as if it had come encrypted (CVE-2011-0411).
        if has_more {
            return self.close(reply::BEHIND_STARTTLS, out);
        }
        reply::START_TLS.write(out);
        Step::StartTls
    }

    /// Does a command and returns the reply, where that is not written yet.
    fn command(
        &mut self,
        request: Request<std::borrow::Cow<'_, str>>,
        text: &str,
        out: &mut Vec<u8>,
    ) -> Option<Reply> {
        let is_lmtp = self.rules.protocol == MailProtocol::Lmtp;
        Some(match request {
            Request::Ehlo { .. } | Request::Helo { .. } if is_lmtp => reply::SAY_LHLO,
            Request::Lhlo { .. } if !is_lmtp => reply::SAY_EHLO,
            Request::Ehlo { host } | Request::Lhlo { host } => {
                self.hello(&host);
                self.offer(out);
                return None;
            }
            Request::Helo { host } => {
                self.hello(&host);
                let line = format!("250 {}\r\n", self.rules.hostname);
                out.extend_from_slice(line.as_bytes());
                return None;
            }
            Request::Mail { from } => match self.mail(from) {
                Ok(()) => reply::SENDER_NOTED,
                Err(refusal) => refusal,
            },
            Request::Rcpt { to } => match self.recipient(to, text) {
                Ok(()) => reply::RECIPIENT_NOTED,
                Err(refusal) => refusal,
            },
            Request::Rset => {
                self.transaction = None;
                reply::RESET
            }
            Request::Noop { .. } => reply::NOTHING_DONE,
            Request::Help { .. } => reply::HELP,
            Request::Vrfy { .. } => reply::NOT_VERIFIED,
            Request::Expn { .. } => reply::NO_EXPANSION,
            Request::StartTls if self.is_encrypted => reply::TLS_IS_ON,
            _ => reply::NOT_OFFERED,
        })
    }

    fn hello(&mut self, host: &str) {
        let name = host.split_ascii_whitespace().next().unwrap_or_default();
        self.helo = Some(name.to_owned());
        self.transaction = None;
    }

    fn offer(&self, out: &mut Vec<u8>) {
        let mut lines = vec![
            self.rules.hostname.clone(),
            "PIPELINING".to_owned(),
            format!("SIZE {}", self.rules.mail_bytes),
        ];
        if self.may_start_tls() {
            lines.push("STARTTLS".to_owned());
        }
        lines.extend(["ENHANCEDSTATUSCODES", "8BITMIME", "SMTPUTF8"].map(str::to_owned));
        let last = lines.len() - 1;
        for (number, line) in lines.iter().enumerate() {
            let mark = if number == last { ' ' } else { '-' };
            out.extend_from_slice(format!("250{mark}{line}\r\n").as_bytes());
        }
    }

    fn mail(&mut self, from: MailFrom<std::borrow::Cow<'_, str>>) -> Result<(), Reply> {
        if self.helo.is_none() {
            return Err(reply::HELLO_FIRST);
        }
        if self.transaction.is_some() {
            return Err(reply::ONE_AT_A_TIME);
        }
        let offered = MAIL_BODY_7BIT | MAIL_BODY_8BITMIME | MAIL_SMTPUTF8;
        let is_plain = from.flags & !offered == 0
            && from.by == 0
            && from.hold_for == 0
            && from.hold_until == 0
            && from.mt_priority == 0
            && from.trans_id.is_none()
            && from.env_id.is_none()
            && from.solicit.is_none()
            && from.mtrk.is_none()
            && from.auth.is_none();
        if !is_plain {
            return Err(reply::PARAMETER);
        }
        if from.size > self.rules.mail_bytes {
            return Err(reply::TOO_LARGE);
        }
        let is_utf8 = from.flags & MAIL_SMTPUTF8 != 0;
        if !is_utf8 && !from.address.is_ascii() {
            return Err(reply::NEEDS_UTF8);
        }
        self.transaction = Some(Transaction {
            from: from.address.into_owned(),
            declared: from.size,
            is_utf8,
            recipients: Vec::new(),
        });
        Ok(())
    }

    fn recipient(
        &mut self,
        to: RcptTo<std::borrow::Cow<'_, str>>,
        text: &str,
    ) -> Result<(), Reply> {
        let transaction = self.transaction.as_mut().ok_or(reply::SENDER_FIRST)?;
        if to.flags != 0 || to.orcpt.is_some() || to.rrvs != 0 {
            return Err(reply::PARAMETER);
        }
        let mut address = to.address.into_owned();
        if address.is_empty() {
            // The parser gives nothing for <> and for <postmaster>, which RFC 5321, 4.5.1 demands.
            if !text.to_ascii_lowercase().contains("<postmaster>") {
                return Err(reply::BAD_RECIPIENT);
            }
            "postmaster".clone_into(&mut address);
        } else if !address.is_ascii() && !transaction.is_utf8 {
            return Err(reply::NEEDS_UTF8);
        } else if !self.rules.recipients.has(&address) {
            return Err(reply::NOT_HERE);
        }
        if transaction.recipients.len() >= RECIPIENTS {
            return Err(reply::TOO_MANY);
        }
        transaction.recipients.push(address);
        // It brings a mail nearer, and their number has a limit of its own.
        self.idle_commands = self.idle_commands.saturating_sub(1);
        Ok(())
    }

    fn begin_content(&mut self) -> Result<(), Reply> {
        let transaction = self.transaction.as_ref().ok_or(reply::SENDER_FIRST)?;
        if transaction.recipients.is_empty() {
            return Err(reply::NO_RECIPIENT);
        }
        let content = Content::new(self.rules.mail_bytes, transaction.declared);
        self.phase = Phase::Content(content);
        Ok(())
    }

    fn finish_content(&mut self, out: &mut Vec<u8>) -> Step {
        let phase = mem::replace(&mut self.phase, Phase::Command(Vec::new()));
        let (Phase::Content(content), Some(transaction)) = (phase, self.transaction.take()) else {
            return Step::Read;
        };
        let answers = match self.rules.protocol {
            MailProtocol::Lmtp => transaction.recipients.len(),
            MailProtocol::Smtp => 1,
        };
        let refusal = match content.finish() {
            Ok(content) => {
                self.phase = Phase::Waiting(answers);
                let mut recipients: Vec<String> = Vec::new();
                for one in transaction.recipients {
                    if !recipients.contains(&one) {
                        recipients.push(one);
                    }
                }
                return Step::Store(Submission {
                    from: transaction.from,
                    recipients,
                    helo: self.helo.clone().unwrap_or_default(),
                    content,
                });
            }
            Err(Fault::BareLineEnd) => reply::BARE_LINE_END,
            Err(Fault::TooLarge) => reply::TOO_LARGE,
            Err(Fault::NoRoom) => reply::NO_ROOM,
        };
        for _ in 0..answers {
            refusal.write(out);
        }
        Step::Read
    }
}

fn refusal_of(error: &Error) -> Reply {
    match error {
        Error::UnknownCommand => reply::UNKNOWN,
        Error::InvalidSenderAddress => reply::BAD_SENDER,
        Error::InvalidRecipientAddress => reply::BAD_RECIPIENT,
        Error::UnsupportedParameter { .. } => reply::PARAMETER,
        _ => reply::SYNTAX,
    }
}

#[cfg(test)]
mod tests;
