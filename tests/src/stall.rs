//! A road to a server that can be frozen: connections stay, and nothing moves on them.

use std::net::SocketAddr;

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{
        TcpListener, TcpStream,
        tcp::{OwnedReadHalf, OwnedWriteHalf},
    },
    sync::watch,
    task::{AbortHandle, JoinSet},
};

/// A road to one server.
#[derive(Debug)]
pub struct Stall {
    address: SocketAddr,
    frozen: watch::Sender<bool>,
    task: AbortHandle,
}

impl Stall {
    /// A road to the server of this URL, and the URL by that road.
    pub async fn before(url: &str) -> (Self, String) {
        let (scheme, rest) = url.split_once("://").expect("it is a URL");
        let (authority, path) = rest.split_once('/').expect("it names a database");
        let (login, server) = authority.split_once('@').expect("it names a login");
        let server: SocketAddr = server.parse().expect("it names an address");
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("it listens");
        let address = listener.local_addr().expect("it has an address");
        let (frozen, watched) = watch::channel(false);
        let mut serving = JoinSet::new();
        let task = serving.spawn(async move {
            let mut roads = JoinSet::new();
            while let Ok((near, _)) = listener.accept().await {
                let watched = watched.clone();
                roads.spawn(async move {
                    let Ok(far) = TcpStream::connect(server).await else {
                        return;
                    };
                    let ((near_in, near_out), (far_in, far_out)) =
                        (near.into_split(), far.into_split());
                    tokio::select! {
                        () = carry(near_in, far_out, watched.clone()) => {}
                        () = carry(far_in, near_out, watched) => {}
                    }
                });
            }
        });
        serving.detach_all();
        let stall = Self {
            address,
            frozen,
            task,
        };
        let url = format!("{scheme}://{login}@{}/{path}", stall.address);
        (stall, url)
    }

    /// Nothing moves from now on, or moves again.
    pub fn freeze(&self, is_frozen: bool) {
        self.frozen.send_replace(is_frozen);
    }
}

impl Drop for Stall {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn carry(mut from: OwnedReadHalf, mut to: OwnedWriteHalf, mut frozen: watch::Receiver<bool>) {
    let mut bytes = vec![0; 16_384];
    while let Ok(read) = from.read(&mut bytes).await {
        let moves = frozen.wait_for(|is_frozen| !is_frozen).await.is_ok();
        if read == 0 || !moves || to.write_all(&bytes[..read]).await.is_err() {
            return;
        }
    }
}
