//! HTTP as bytes: what a well-meaning client never sends can be sent, and what is answered is seen whole.

use std::{net::SocketAddr, time::Duration};

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    time::timeout,
};

/// What was answered.
#[derive(Clone, Debug)]
pub struct Told {
    /// The status.
    pub status: u16,
    /// Names in lower case.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: String,
}

impl Told {
    /// The value of this header.
    pub fn header(&self, name: &str) -> Option<&str> {
        let mut all = self.headers.iter();
        all.find(|(known, _)| known == name)
            .map(|(_, value)| value.as_str())
    }

    /// The body as the JSON that it must be.
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.body).unwrap_or_else(|fault| panic!("{fault} in {self:?}"))
    }

    fn parse(text: &str) -> Option<Self> {
        let (head, body) = text.split_once("\r\n\r\n")?;
        let mut lines = head.lines();
        let status = lines.next()?.split(' ').nth(1)?.parse().ok()?;
        let header = |line: &str| {
            let (name, value) = line.split_once(':')?;
            Some((name.to_ascii_lowercase(), value.trim().to_owned()))
        };
        Some(Self {
            status,
            headers: lines.filter_map(header).collect(),
            body: body.to_owned(),
        })
    }
}

/// Sends these bytes, and hears everything until the connection ends; `None` when it ends without an answer.
pub async fn exchange(address: SocketAddr, bytes: &[u8]) -> Option<Told> {
    let mut stream = TcpStream::connect(address).await.ok()?;
    // A server that refuses early may close while we still write.
    let _ = stream.write_all(bytes).await;
    hear(&mut stream).await
}

/// What is answered on a connection on which something was said.
pub async fn hear(stream: &mut TcpStream) -> Option<Told> {
    let mut heard = Vec::new();
    let all = async { while stream.read_buf(&mut heard).await.is_ok_and(|read| read > 0) {} };
    timeout(Duration::from_secs(40), all)
        .await
        .expect("the server ends the connection");
    Told::parse(&String::from_utf8_lossy(&heard))
}

/// A request without a body.
pub async fn ask(address: SocketAddr, method: &str, path: &str) -> Told {
    let text = format!("{method} {path} HTTP/1.1\r\nHost: {address}\r\n\r\n");
    let told = exchange(address, text.as_bytes()).await;
    told.unwrap_or_else(|| panic!("no answer to {method} {path}"))
}

/// A POST with these header lines.
pub async fn post(address: SocketAddr, path: &str, headers: &[String], body: &[u8]) -> Told {
    let headers = headers
        .iter()
        .fold(String::new(), |all, line| all + line + "\r\n");
    let length = body.len();
    let head = format!(
        "POST {path} HTTP/1.1\r\nHost: {address}\r\nContent-Length: {length}\r\n{headers}\r\n"
    );
    let told = exchange(address, &[head.as_bytes(), body].concat()).await;
    told.unwrap_or_else(|| panic!("no answer to POST {path}"))
}
