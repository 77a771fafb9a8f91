//! A DNS server on loopback that knows the TXT records it was given, and how it can fail.

use std::{
    collections::HashMap,
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use hickory_resolver::proto::{
    op::{Message, MessageType, ResponseCode},
    rr::{RData, Record, RecordType, rdata::TXT},
};
use tokio::net::UdpSocket;

/// How the server answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mood {
    /// With its records, or that there is no such name.
    Answers,
    /// That it failed.
    Fails,
    /// Not at all.
    Silent,
}

/// A running server; it ends with the test.
#[derive(Debug)]
pub(super) struct Dns {
    pub(super) address: SocketAddr,
    asked: Arc<AtomicUsize>,
    /// Ends with this.
    _task: tokio::task::JoinSet<()>,
}

impl Dns {
    pub(super) async fn start(records: HashMap<String, String>, mood: Mood) -> Self {
        let socket = UdpSocket::bind("127.0.0.1:0").await.expect("a free port");
        let address = socket.local_addr().expect("it has an address");
        let asked = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&asked);
        let mut task = tokio::task::JoinSet::new();
        task.spawn(async move {
            let mut buffer = vec![0; 4096];
            while let Ok((length, peer)) = socket.recv_from(&mut buffer).await {
                counted.fetch_add(1, Ordering::Relaxed);
                if let Some(answer) = answer(&buffer[..length], &records, mood) {
                    let _ = socket.send_to(&answer, peer).await;
                }
            }
        });
        Self {
            address,
            asked,
            _task: task,
        }
    }

    /// How many questions came.
    pub(super) fn asked(&self) -> usize {
        self.asked.load(Ordering::Relaxed)
    }
}

fn answer(question: &[u8], records: &HashMap<String, String>, mood: Mood) -> Option<Vec<u8>> {
    let mut message = Message::from_vec(question).ok()?;
    message.metadata.message_type = MessageType::Response;
    message.metadata.recursion_available = true;
    match mood {
        Mood::Silent => return None,
        Mood::Fails => message.metadata.response_code = ResponseCode::ServFail,
        Mood::Answers => {
            let query = message.queries.first()?.clone();
            let name = query.name().to_ascii().to_ascii_lowercase();
            match records.get(name.trim_end_matches('.')) {
                Some(text) if query.query_type() == RecordType::TXT => {
                    // A string of a TXT record has at most 255 bytes.
                    let pieces = text.as_bytes().chunks(255);
                    let pieces = pieces.map(|piece| String::from_utf8_lossy(piece).into_owned());
                    let data = RData::TXT(TXT::new(pieces.collect()));
                    message.add_answer(Record::from_rdata(query.name().clone(), 60, data));
                }
                Some(_) => {}
                None => message.metadata.response_code = ResponseCode::NXDomain,
            }
        }
    }
    message.to_vec().ok()
}
