//! A mailbox server for faults: it keeps mails, answers what the desk asks, and misbehaves when told
//! to. What a real server does is tried against Dovecot.

use std::{
    net::SocketAddr,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use tokio::{
    io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader, Lines},
    net::{
        TcpListener, TcpStream,
        tcp::{OwnedReadHalf, OwnedWriteHalf},
    },
    task::AbortHandle,
};

/// What goes wrong with a command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// There is no answer.
    Hang,
    /// The connection ends.
    Close,
    /// The connection ends in the middle of the first literal.
    CutLiteral,
    /// A literal of this many bytes is announced.
    HugeLiteral(u64),
    /// No.
    No(String),
    /// Bad.
    Bad,
    /// Something that is no IMAP.
    Garbage,
    /// Nothing of what was asked for, and OK.
    Empty,
}

/// A mail on the server.
#[derive(Clone, Debug)]
pub struct Held {
    /// Its number.
    pub uid: u32,
    /// Its bytes.
    pub raw: Vec<u8>,
    /// The size that the server states, where it is another one.
    pub stated_size: Option<u64>,
    /// When the server says it came.
    pub date: String,
    /// Its flags.
    pub flags: Vec<String>,
}

/// The server's state.
#[derive(Debug)]
pub struct State {
    /// The numbering.
    pub uid_validity: u32,
    /// The mails in the folder, ascending.
    pub mails: Vec<Held>,
    /// What was moved or copied where, by UID.
    pub moved: Vec<(String, u32)>,
    /// Every command that came, without its tag.
    pub commands: Vec<String>,
    /// What is wrong with commands that contain a text, and how often still.
    pub faults: Vec<(String, Fault, usize)>,
    /// In how many IDLEs still the connection goes dead, as behind a NAT that forgot it.
    pub dead_idles: usize,
    /// What the server can.
    pub capabilities: String,
    /// The token that XOAUTH2 takes.
    pub token: String,
    next: u32,
}

/// A running server.
#[derive(Debug)]
pub struct FakeImap {
    address: SocketAddr,
    state: Arc<Mutex<State>>,
    task: AbortHandle,
}

/// When mails came, unless a test says otherwise.
pub const DATE: &str = "23-Nov-2026 08:00:00 +0000";

impl FakeImap {
    /// A server with an empty folder.
    pub async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("it listens");
        let address = listener.local_addr().expect("it has an address");
        let state = Arc::new(Mutex::new(State {
            uid_validity: 7,
            mails: Vec::new(),
            moved: Vec::new(),
            commands: Vec::new(),
            faults: Vec::new(),
            dead_idles: 0,
            capabilities: "IMAP4rev1 IDLE MOVE UIDPLUS".to_owned(),
            token: "good".to_owned(),
            next: 1,
        }));
        let shared = Arc::clone(&state);
        let mut connections = tokio::task::JoinSet::new();
        let mut serving = tokio::task::JoinSet::new();
        let task = serving.spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                connections.spawn(serve(stream, Arc::clone(&shared)));
            }
        });
        serving.detach_all();
        Self {
            address,
            state,
            task,
        }
    }

    /// Where it listens.
    pub fn url(&self) -> String {
        format!("imap://{}", self.address)
    }

    /// Its state, to look at or to change.
    pub fn state(&self) -> MutexGuard<'_, State> {
        lock(&self.state)
    }

    /// Puts a mail into the folder. Returns its number.
    pub fn add(&self, raw: Vec<u8>) -> u32 {
        self.add_dated(raw, DATE)
    }

    /// Puts a mail into the folder that came at this time.
    pub fn add_dated(&self, raw: Vec<u8>, date: &str) -> u32 {
        let mut state = self.state();
        let uid = state.next;
        state.next += 1;
        state.mails.push(Held {
            uid,
            raw,
            stated_size: None,
            date: date.to_owned(),
            flags: Vec::new(),
        });
        uid
    }

    /// Numbers all mails anew.
    pub fn renumber(&self, validity: u32) {
        let mut state = self.state();
        state.uid_validity = validity;
        state.next = 1;
        let count = u32::try_from(state.mails.len()).expect("a test has few mails");
        for (uid, mail) in (1..).zip(&mut state.mails) {
            mail.uid = uid;
        }
        state.next += count;
    }

    /// Goes wrong `times` times with commands that contain `text`.
    pub fn fail(&self, text: &str, fault: Fault, times: usize) {
        self.state().faults.push((text.to_owned(), fault, times));
    }

    /// How many commands contained `text`.
    pub fn count(&self, text: &str) -> usize {
        let state = self.state();
        let commands = state.commands.iter();
        commands.filter(|command| command.contains(text)).count()
    }
}

impl Drop for FakeImap {
    fn drop(&mut self) {
        self.task.abort();
    }
}

fn lock(state: &Mutex<State>) -> MutexGuard<'_, State> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Serves one connection until it ends.
async fn serve(stream: TcpStream, state: Arc<Mutex<State>>) {
    let (read, mut write) = stream.into_split();
    let mut lines = BufReader::new(read).lines();
    if send(&mut write, b"* OK at your service\r\n").await.is_err() {
        return;
    }
    while let Ok(Some(line)) = lines.next_line().await {
        let Some((tag, command)) = line.split_once(' ') else {
            continue;
        };
        let fault = {
            let mut state = lock(&state);
            state.commands.push(command.to_owned());
            take_fault(&mut state, command)
        };
        let tagged = |text: &str| format!("{tag} {text}\r\n").into_bytes();
        // What is refused is not done.
        let answer = match fault {
            None | Some(Fault::CutLiteral) => lock(&state).answer(command),
            _ => Vec::new(),
        };
        let bytes = match fault {
            Some(Fault::Hang) => std::future::pending().await,
            Some(Fault::Close) => return,
            Some(Fault::No(text)) => tagged(&format!("NO {text}")),
            Some(Fault::Bad) => tagged("BAD what is that"),
            Some(Fault::Garbage) => b"\0\x01 this is no IMAP\r\n".to_vec(),
            Some(Fault::Empty) => tagged("OK nothing"),
            Some(Fault::HugeLiteral(size)) => {
                format!("* 1 FETCH (UID 1 BODY[] {{{size}}}\r\nx").into_bytes()
            }
            Some(Fault::CutLiteral) => {
                let end = answer.windows(3).position(|part| part == b"}\r\n");
                let cut = end.map_or(answer.len(), |at| at + 40).min(answer.len());
                let _ = send(&mut write, &answer[..cut]).await;
                return;
            }
            None if command.starts_with("AUTHENTICATE") => {
                if send(&mut write, b"+ \r\n").await.is_err() {
                    return;
                }
                let given = lines.next_line().await.ok().flatten().unwrap_or_default();
                let token = decode(&given);
                let good = format!("Bearer {}\x01", lock(&state).token);
                if token.contains(&good) {
                    tagged("OK come in")
                } else {
                    // The reason, in base64; then an empty line is waited for.
                    if send(&mut write, b"+ eyJzdGF0dXMiOiI0MDEifQ==\r\n")
                        .await
                        .is_err()
                    {
                        return;
                    }
                    let empty = lines.next_line().await.ok().flatten();
                    lock(&state).commands.push(format!("(answered {empty:?})"));
                    tagged("NO AUTHENTICATE failed.")
                }
            }
            None if command == "IDLE" => {
                if !idle(&mut write, &mut lines, &state).await {
                    return;
                }
                tagged("OK done")
            }
            None => [answer, tagged("OK done")].concat(),
        };
        if send(&mut write, &bytes).await.is_err() || command == "LOGOUT" {
            return;
        }
    }
}

/// Waits until the client has enough; `false` when the connection is to end.
async fn idle(
    write: &mut OwnedWriteHalf,
    lines: &mut Lines<BufReader<OwnedReadHalf>>,
    state: &Arc<Mutex<State>>,
) -> bool {
    if send(write, b"+ idling\r\n").await.is_err() {
        return false;
    }
    let is_dead = {
        let left = &mut lock(state).dead_idles;
        let is_dead = *left > 0;
        *left = left.saturating_sub(1);
        is_dead
    };
    // A dead connection hears and answers nothing.
    while let Ok(Some(_)) = lines.next_line().await {
        if !is_dead {
            break;
        }
    }
    !is_dead
}

async fn send(write: &mut OwnedWriteHalf, bytes: &[u8]) -> std::io::Result<()> {
    write.write_all(bytes).await
}

fn take_fault(state: &mut State, command: &str) -> Option<Fault> {
    let (_, fault, left) = state
        .faults
        .iter_mut()
        .find(|(text, _, left)| *left > 0 && command.contains(text.as_str()))?;
    *left -= 1;
    Some(fault.clone())
}

impl State {
    /// What comes before the tagged OK.
    fn answer(&mut self, command: &str) -> Vec<u8> {
        let words: Vec<&str> = command.split(' ').collect();
        match words[..] {
            ["CAPABILITY"] => format!("* CAPABILITY {}\r\n", self.capabilities).into_bytes(),
            ["SELECT", ..] => format!(
                "* {} EXISTS\r\n* OK [UIDVALIDITY {}] numbers\r\n* OK [UIDNEXT {}] next\r\n",
                self.mails.len(),
                self.uid_validity,
                self.next
            )
            .into_bytes(),
            ["UID", "FETCH", set, ..] => self.fetch(set, command),
            ["UID", "STORE", set, _, flags] => {
                for uid in self.members(set) {
                    for mail in self.mails.iter_mut().filter(|mail| mail.uid == uid) {
                        mail.flags.push(flags.to_owned());
                    }
                }
                Vec::new()
            }
            ["UID", "MOVE", set, ref folder @ ..] => {
                for uid in self.members(set) {
                    self.moved.push((folder.join(" "), uid));
                    self.mails.retain(|mail| mail.uid != uid);
                }
                Vec::new()
            }
            ["UID", "COPY", set, folder] => {
                let copied = self.members(set).into_iter();
                let copied: Vec<_> = copied.map(|uid| (folder.to_owned(), uid)).collect();
                self.moved.extend(copied);
                Vec::new()
            }
            ["UID", "EXPUNGE", set] => {
                let gone = self.members(set);
                self.mails.retain(|mail| !gone.contains(&mail.uid));
                Vec::new()
            }
            _ => Vec::new(),
        }
    }

    fn fetch(&self, set: &str, command: &str) -> Vec<u8> {
        let mut answer = Vec::new();
        let members = self.members(set);
        for (number, mail) in (1..).zip(&self.mails) {
            if !members.contains(&mail.uid) {
                continue;
            }
            let uid = mail.uid;
            if command.contains("BODY.PEEK[HEADER]") {
                let end = mail.raw.windows(4).position(|part| part == b"\r\n\r\n");
                let headers = &mail.raw[..end.map_or(mail.raw.len(), |at| at + 4)];
                let head = format!(
                    "* {number} FETCH (UID {uid} BODY[HEADER]<0> {{{}}}\r\n",
                    headers.len()
                );
                answer.extend([head.as_bytes(), headers, b")\r\n"].concat());
            } else if command.contains("BODY.PEEK[]") {
                let head = format!(
                    "* {number} FETCH (UID {uid} BODY[] {{{}}}\r\n",
                    mail.raw.len()
                );
                answer.extend([head.as_bytes(), &mail.raw, b")\r\n"].concat());
            } else {
                let size = mail.stated_size.unwrap_or(mail.raw.len() as u64);
                let line = format!(
                    "* {number} FETCH (UID {uid} RFC822.SIZE {size} INTERNALDATE \"{}\")\r\n",
                    mail.date
                );
                answer.extend(line.into_bytes());
            }
        }
        answer
    }

    /// The UIDs of a set that are there. A range with `*` holds the last one in any case.
    fn members(&self, set: &str) -> Vec<u32> {
        let last = self.mails.last().map_or(0, |mail| mail.uid);
        let number = |text: &str| match text {
            "*" => last,
            text => text.parse().expect("the desk asks for numbers"),
        };
        let mut members = Vec::new();
        for part in set.split(',') {
            let (from, to) = part.split_once(':').unwrap_or((part, part));
            let (from, to) = (number(from), number(to));
            let range = from.min(to)..=from.max(to);
            let there = self.mails.iter().map(|mail| mail.uid);
            members.extend(there.filter(|uid| range.contains(uid)));
        }
        members
    }
}

/// Base64 as far as it goes: enough to see which token came.
fn decode(text: &str) -> String {
    const DIGITS: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let (mut bits, mut count, mut bytes) = (0_u32, 0, Vec::new());
    for digit in text.chars().filter_map(|c| DIGITS.find(c)) {
        bits = bits << 6 | u32::try_from(digit).expect("below 64");
        count += 6;
        if count >= 8 {
            count -= 8;
            bytes.push(u8::try_from(bits >> count & 0xff).expect("a byte"));
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}
