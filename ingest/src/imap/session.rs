//! One logged-in session, a command at a time: every command has a time-out, every answer is read to
//! its tagged end, and anything but OK there is an error. (The library's own fetch and search take
//! a refusal, or the end of the connection, for an empty answer.)

use std::{collections::HashSet, sync::Arc, time::Duration};

use async_imap::{
    Authenticator, Client, Session as Raw,
    error::Error,
    imap_proto::{
        AttributeValue, Capability, MailboxDatum, MessageSection, RequestId, Response,
        ResponseCode, SectionPath, Status,
    },
};
use rustls::ClientConfig;
use tierdesk_core::{clock::Timestamp, settings::Secret};
use tokio::time::timeout;

use super::{
    error::{ImapError, unwrapped, words},
    notation::{internal_date, quoted, uid_set},
    socket::{Server, Socket},
};

/// The slowest a mail may come in, in bytes a second.
const SLOWEST: u64 = 16 * 1024;
/// How long the end of an IDLE may take.
const DONE: Duration = Duration::from_secs(15);

/// What is shown at the door.
#[derive(Clone, Debug)]
pub(super) enum Pass {
    Password(Secret),
    Token(Secret),
}

/// A logged-in session.
#[derive(Debug)]
pub(super) struct Session {
    raw: Raw<Socket>,
    /// How long a command may be without an answer, or an answer without another line.
    patience: Duration,
    capabilities: HashSet<String>,
}

/// A mailbox as it is when it is opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Opened {
    pub(super) uid_validity: u32,
    pub(super) exists: u32,
    pub(super) uid_next: Option<u32>,
}

/// What is known of a mail before it is fetched.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Listed {
    pub(super) uid: u32,
    pub(super) size: u64,
    pub(super) date: Option<Timestamp>,
}

/// What the server says while it is waited for.
enum Heard {
    Begun,
    Mail,
    Other,
    End(Result<(), ImapError>),
}

/// Answers challenges: the first with who we are; a second one is the server saying why not, and
/// ends with an empty line (XOAUTH2) before it says so.
struct Answers(Option<String>);

impl Authenticator for Answers {
    type Response = String;

    fn process(&mut self, _challenge: &[u8]) -> String {
        self.0.take().unwrap_or_default()
    }
}

impl Session {
    /// Connects and logs in.
    pub(super) async fn open(
        server: &Server,
        trust: &Arc<ClientConfig>,
        patience: Duration,
        username: &str,
        pass: &Pass,
    ) -> Result<Self, ImapError> {
        if !server.is_tls && server.must_have_tls {
            let client = secured(server, trust, patience).await?;
            return Self::log_in(client, patience, username, pass).await;
        }
        let mut client = Client::new(Socket::connect(server, trust).await?);
        greet(&mut client, patience).await?;
        Self::log_in(client, patience, username, pass).await
    }

    async fn log_in(
        client: Client<Socket>,
        patience: Duration,
        username: &str,
        pass: &Pass,
    ) -> Result<Self, ImapError> {
        let doing = "logging in";
        let result = match pass {
            // A quoted string holds ASCII only.
            Pass::Password(password) if password.expose().is_ascii() && username.is_ascii() => {
                timeout(patience, client.login(username, password.expose())).await
            }
            Pass::Password(password) => {
                let answer = format!("\0{username}\0{}", password.expose());
                timeout(
                    patience,
                    client.authenticate("PLAIN", Answers(Some(answer))),
                )
                .await
            }
            Pass::Token(token) => {
                let answer = format!("user={username}\x01auth=Bearer {}\x01\x01", token.expose());
                timeout(
                    patience,
                    client.authenticate("XOAUTH2", Answers(Some(answer))),
                )
                .await
            }
        };
        let raw = match result {
            Err(_) => return Err(ImapError::Timeout(doing)),
            Ok(Ok(raw)) => raw,
            Ok(Err((Error::No(answer) | Error::Bad(answer), _))) => {
                return Err(ImapError::Login(unwrapped(&answer)));
            }
            Ok(Err((error, _))) => return Err(failed(error, doing)),
        };
        let mut session = Self {
            raw,
            patience,
            capabilities: HashSet::new(),
        };
        let mut found = HashSet::new();
        session
            .command("CAPABILITY", "asking what the server can", |response| {
                if let Response::Capabilities(list) = response {
                    for capability in list {
                        if let Capability::Atom(name) = capability {
                            found.insert(name.to_ascii_uppercase());
                        }
                    }
                }
            })
            .await?;
        session.capabilities = found;
        Ok(session)
    }

    pub(super) fn can(&self, capability: &str) -> bool {
        self.capabilities.contains(capability)
    }

    /// Opens the folder, or looks at it anew.
    pub(super) async fn select(&mut self, folder: &str) -> Result<Opened, ImapError> {
        let doing = "opening the folder";
        let (mut validity, mut exists, mut uid_next) = (None, 0, None);
        let command = format!("SELECT {}", quoted(folder)?);
        let mut note = |response: &Response<'_>| match response {
            Response::MailboxData(MailboxDatum::Exists(count)) => exists = *count,
            Response::Data {
                status: Status::Ok,
                outcome,
            } => match &outcome.code {
                Some(ResponseCode::UidValidity(number)) => validity = Some(*number),
                Some(ResponseCode::UidNext(number)) => uid_next = Some(*number),
                _ => {}
            },
            _ => {}
        };
        self.command(&command, doing, &mut note).await?;
        let uid_validity = validity.ok_or_else(|| ImapError::Refused {
            doing,
            answer: "it numbers its mails anew each time (no UIDVALIDITY)".to_owned(),
        })?;
        Ok(Opened {
            uid_validity,
            exists,
            uid_next,
        })
    }

    /// The mails of these UIDs that are there, ascending, without fetching them.
    pub(super) async fn list(
        &mut self,
        from: u32,
        to: Option<u32>,
    ) -> Result<Vec<Listed>, ImapError> {
        let end = to.map_or_else(|| "*".to_owned(), |to| to.to_string());
        let mut found = self.list_set(&format!("{from}:{end}")).await?;
        // `n:*` is the last mail even where it lies below n.
        found.retain(|mail| mail.uid >= from && to.is_none_or(|to| mail.uid <= to));
        Ok(found)
    }

    /// The last mail that is there.
    pub(super) async fn newest(&mut self) -> Result<Option<Listed>, ImapError> {
        Ok(self.list_set("*").await?.pop())
    }

    async fn list_set(&mut self, uids: &str) -> Result<Vec<Listed>, ImapError> {
        let command = format!("UID FETCH {uids} (UID RFC822.SIZE INTERNALDATE)");
        let mut found = Vec::new();
        let note = |response: &Response<'_>| {
            let Response::Fetch(_, attributes) = response else {
                return;
            };
            let (mut uid, mut size, mut date) = (None, None, None);
            for attribute in attributes {
                match attribute {
                    AttributeValue::Uid(number) => uid = Some(*number),
                    AttributeValue::Rfc822Size(bytes) => size = Some(u64::from(*bytes)),
                    AttributeValue::InternalDate(text) => date = internal_date(text),
                    _ => {}
                }
            }
            if let (Some(uid), Some(size)) = (uid, size) {
                found.push(Listed { uid, size, date });
            }
        };
        self.command(&command, "listing the mails", note).await?;
        found.sort_by_key(|mail| mail.uid);
        found.dedup_by_key(|mail| mail.uid);
        Ok(found)
    }

    /// The bytes of these mails, whole.
    pub(super) async fn fetch(
        &mut self,
        mails: &[Listed],
    ) -> Result<Vec<(u32, Vec<u8>)>, ImapError> {
        let bytes = mails.iter().map(|mail| mail.size).sum();
        let uids = uid_set(mails.iter().map(|mail| mail.uid));
        self.fetch_section(&uids, "BODY.PEEK[]", bytes).await
    }

    /// The headers of one mail, as far as they are read.
    pub(super) async fn fetch_headers(
        &mut self,
        uid: u32,
        most: usize,
    ) -> Result<Option<Vec<u8>>, ImapError> {
        let section = format!("BODY.PEEK[HEADER]<0.{most}>");
        let found = self
            .fetch_section(&uid.to_string(), &section, most as u64)
            .await?;
        Ok(found
            .into_iter()
            .find(|(one, _)| *one == uid)
            .map(|(_, raw)| raw))
    }

    async fn fetch_section(
        &mut self,
        uids: &str,
        section: &str,
        bytes: u64,
    ) -> Result<Vec<(u32, Vec<u8>)>, ImapError> {
        let mut found = Vec::new();
        let note = |response: &Response<'_>| {
            let Response::Fetch(_, attributes) = response else {
                return;
            };
            let uid = attributes.iter().find_map(|attribute| match attribute {
                AttributeValue::Uid(uid) => Some(*uid),
                _ => None,
            });
            let data = attributes.iter().find_map(|attribute| match attribute {
                AttributeValue::BodySection {
                    section: None | Some(SectionPath::Full(MessageSection::Header)),
                    data: Some(data),
                    ..
                } => Some(data.to_vec()),
                _ => None,
            });
            if let (Some(uid), Some(data)) = (uid, data) {
                found.push((uid, data));
            }
        };
        let command = format!("UID FETCH {uids} (UID {section})");
        // Sizes that servers state are off by the line ends they forgot to count, or the like.
        self.raw.as_mut().allow(bytes.saturating_add(bytes / 4));
        let patience = self.patience + Duration::from_secs(bytes / SLOWEST);
        let within = self.command(&command, "fetching mail", note);
        let result = timeout(patience, within).await;
        self.raw.as_mut().allow(0);
        result.map_err(|_| ImapError::Timeout("fetching mail"))??;
        Ok(found)
    }

    /// Runs a command that is answered with nothing but OK.
    pub(super) async fn run(
        &mut self,
        command: &str,
        doing: &'static str,
    ) -> Result<(), ImapError> {
        self.command(command, doing, |_| {}).await
    }

    /// Sends a command and reads to its tagged answer.
    async fn command(
        &mut self,
        command: &str,
        doing: &'static str,
        mut note: impl FnMut(&Response<'_>) + Send,
    ) -> Result<(), ImapError> {
        let tag = self.send(command, doing).await?;
        loop {
            let settled = self.next(doing, self.patience, |response| {
                note(response);
                settled(response, &tag, doing)
            });
            if let Some(result) = settled.await? {
                return result;
            }
        }
    }

    async fn send(&mut self, command: &str, doing: &'static str) -> Result<RequestId, ImapError> {
        match timeout(self.patience, self.raw.run_command(command)).await {
            Err(_) => Err(ImapError::Timeout(doing)),
            Ok(Err(error)) => Err(failed(error, doing)),
            Ok(Ok(tag)) => Ok(tag),
        }
    }

    async fn next<T>(
        &mut self,
        doing: &'static str,
        patience: Duration,
        read: impl FnOnce(&Response<'_>) -> T + Send,
    ) -> Result<T, ImapError> {
        match timeout(patience, self.raw.read_response()).await {
            Err(_) => Err(ImapError::Timeout(doing)),
            Ok(Err(error)) => Err(failed(Error::Io(error), doing)),
            Ok(Ok(None)) => Err(ImapError::Lost(doing)),
            Ok(Ok(Some(response))) => Ok(read(response.parsed())),
        }
    }

    /// Waits until the server tells of mail, or `span` is over. Returns whether it told.
    ///
    /// Dropped in the middle, the session is of no use any more.
    pub(super) async fn idle(&mut self, span: Duration) -> Result<bool, ImapError> {
        let doing = "waiting for mail";
        let tag = self.send("IDLE", doing).await?;
        let begun = tokio::time::Instant::now();
        let mut has_begun = false;
        let is_told = loop {
            let patience = if has_begun {
                span.saturating_sub(begun.elapsed())
            } else {
                self.patience
            };
            // What comes unasked must not add up over the hours.
            self.raw.as_mut().allow(0);
            let heard = self.next(doing, patience, |response| match response {
                Response::Continue(_) => Heard::Begun,
                Response::MailboxData(MailboxDatum::Exists(_)) => Heard::Mail,
                other => settled(other, &tag, doing).map_or(Heard::Other, Heard::End),
            });
            match heard.await {
                Err(ImapError::Timeout(_)) if has_begun => break false,
                Err(error) => return Err(error),
                Ok(Heard::Begun) => has_begun = true,
                Ok(Heard::Mail) => break true,
                Ok(Heard::Other) => {}
                Ok(Heard::End(result)) => {
                    result?;
                    let answer = "it ended the waiting by itself".to_owned();
                    return Err(ImapError::Refused { doing, answer });
                }
            }
        };
        let ended = async {
            self.raw
                .run_command_untagged("DONE")
                .await
                .map_err(|error| failed(error, doing))?;
            loop {
                let settled = self.next(doing, DONE, |response| settled(response, &tag, doing));
                if let Some(result) = settled.await? {
                    return result;
                }
            }
        };
        timeout(DONE, ended)
            .await
            .map_err(|_| ImapError::Timeout("ending the waiting"))??;
        Ok(is_told)
    }

    /// Says goodbye, if the server listens.
    pub(super) async fn close(mut self) {
        let goodbye = self.raw.logout();
        let _ = timeout(Duration::from_millis(500), goodbye).await;
    }
}

/// Connects in the clear and turns to TLS, or refuses.
async fn secured(
    server: &Server,
    trust: &Arc<ClientConfig>,
    patience: Duration,
) -> Result<Client<Socket>, ImapError> {
    let doing = "asking for TLS";
    let mut client = Client::new(Socket::connect(server, trust).await?);
    greet(&mut client, patience).await?;
    let asked = client.run_command_and_check_ok("STARTTLS", None);
    match timeout(patience, asked).await {
        Err(_) => return Err(ImapError::Timeout(doing)),
        Ok(Err(Error::No(_) | Error::Bad(_))) => {
            let message = format!(
                "{} offers no TLS (STARTTLS), so nobody logged in; \
                 use imaps://, or an address of this machine",
                server.host
            );
            return Err(ImapError::Address(message));
        }
        Ok(Err(error)) => return Err(failed(error, doing)),
        Ok(Ok(())) => {}
    }
    // What came in behind the answer is dropped with the client: it was said in the clear.
    let socket = client.into_inner().secure(server, trust).await?;
    Ok(Client::new(socket))
}

/// Reads the greeting.
async fn greet(client: &mut Client<Socket>, patience: Duration) -> Result<(), ImapError> {
    let doing = "waiting for its greeting";
    match timeout(patience, client.read_response()).await {
        Err(_) => Err(ImapError::Timeout(doing)),
        Ok(Err(error)) => Err(failed(Error::Io(error), doing)),
        Ok(Ok(None)) => Err(ImapError::Lost(doing)),
        Ok(Ok(Some(response))) => match response.parsed() {
            Response::Data {
                status: Status::Bye,
                outcome,
            } => Err(ImapError::Refused {
                doing,
                answer: words(outcome.information.as_deref()),
            }),
            _ => Ok(()),
        },
    }
}

/// Whether a response ends the command, and how.
fn settled(
    response: &Response<'_>,
    tag: &RequestId,
    doing: &'static str,
) -> Option<Result<(), ImapError>> {
    match response {
        Response::Done {
            tag: of,
            status,
            outcome,
        } if of == tag => Some(match status {
            Status::Ok => Ok(()),
            _ => Err(ImapError::Refused {
                doing,
                answer: words(outcome.information.as_deref()),
            }),
        }),
        Response::Data {
            status: Status::Bye,
            ..
        } => Some(Err(ImapError::Lost(doing))),
        _ => None,
    }
}

/// An error of the library in ours. What it could not parse is part of its text and may be somebody's
/// mail, so the text stays behind.
fn failed(error: Error, doing: &'static str) -> ImapError {
    match error {
        Error::Io(source) if source.kind() == std::io::ErrorKind::UnexpectedEof => {
            ImapError::Lost(doing)
        }
        Error::Io(source)
            if matches!(
                source.kind(),
                std::io::ErrorKind::Other | std::io::ErrorKind::FileTooLarge
            ) =>
        {
            ImapError::Garbled(doing)
        }
        Error::Io(source) => ImapError::Io { doing, source },
        Error::No(answer) | Error::Bad(answer) => ImapError::Refused {
            doing,
            answer: unwrapped(&answer),
        },
        Error::ConnectionLost => ImapError::Lost(doing),
        _ => ImapError::Garbled(doing),
    }
}
