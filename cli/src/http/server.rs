//! Connections: one request each, in so much time and no more. Whoever dawdles loses the connection, and
//! never the desk its time.

use std::{fmt, io, net::SocketAddr, pin::pin, sync::Arc, time::Duration};

use axum::Router;
use hyper::server::conn::http1;
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    service::TowerToHyperService,
};
use tierdesk_core::refusal::{Refusal, RefusalCode};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::Semaphore,
    task::JoinSet,
    time::{sleep, timeout},
};
use tokio_util::sync::CancellationToken;

/// Connections at once. Further ones wait, which at worst takes as long as a head may.
const CONNECTIONS: usize = 256;
/// For the head of a request.
const HEAD: Duration = Duration::from_secs(5);
/// For everything, the answer included.
const WHOLE: Duration = Duration::from_secs(20);
/// For what is under way when the desk ends; below the time that `serve` has.
const GRACE: Duration = Duration::from_secs(5);
/// A head of a few hundred bytes is what honest clients send.
const LARGEST_HEAD: usize = 16 * 1024;

/// An address that is listened at.
#[derive(Debug)]
pub(crate) struct Server {
    listener: TcpListener,
    address: SocketAddr,
}

impl fmt::Display for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "HTTP on {}", self.address)
    }
}

/// Listens there, or says why that cannot be.
pub(crate) async fn open(address: SocketAddr) -> Result<Server, Refusal> {
    let bound = async {
        let listener = TcpListener::bind(address).await?;
        let address = listener.local_addr()?;
        Ok(Server { listener, address })
    };
    bound.await.map_err(|error: io::Error| {
        let hint = if error.kind() == io::ErrorKind::AddrInUse {
            "stop the other program, or set another address as http.listen"
        } else {
            "set an address of this machine as http.listen; a port below 1024 needs the right to \
             bind it (CAP_NET_BIND_SERVICE)"
        };
        let message = format!("cannot listen at {address} for HTTP: {error}; nothing was started");
        Refusal::new(RefusalCode::Configuration, message).with_hint(hint)
    })
}

impl Server {
    /// Answers until stopped, and then finishes what is under way.
    pub(crate) async fn run(self, router: Router, stop: CancellationToken) {
        let places = Arc::new(Semaphore::new(CONNECTIONS));
        let mut running = JoinSet::new();
        loop {
            let next = async {
                let place = Arc::clone(&places).acquire_owned().await;
                (place, self.listener.accept().await)
            };
            let (place, accepted) = tokio::select! {
                () = stop.cancelled() => break,
                next = next => next,
            };
            while running.try_join_next().is_some() {}
            match accepted {
                Ok((stream, _)) => {
                    let (router, stop) = (router.clone(), stop.clone());
                    running.spawn(async move {
                        let _place = place;
                        serve(stream, router, stop).await;
                    });
                }
                Err(error) => {
                    // Out of file descriptors, mostly: they come back when others end.
                    tracing::warn!(%error, "a connection could not be taken");
                    sleep(Duration::from_millis(200)).await;
                }
            }
        }
        let all = async { while running.join_next().await.is_some() {} };
        // What is not done by then is cut off as the set is dropped.
        let _ = timeout(GRACE, all).await;
    }
}

async fn serve(stream: TcpStream, router: Router, stop: CancellationToken) {
    let mut builder = http1::Builder::new();
    builder
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD)
        // An idle connection is a place that somebody else may want.
        .keep_alive(false)
        .max_buf_size(LARGEST_HEAD);
    let service = TowerToHyperService::new(router);
    let mut connection = pin!(builder.serve_connection(TokioIo::new(stream), service));
    let answered = async {
        tokio::select! {
            ended = connection.as_mut() => return ended,
            () = stop.cancelled() => connection.as_mut().graceful_shutdown(),
        }
        connection.await
    };
    // What goes wrong on a connection is the client's doing, and a log of it anybody's to fill.
    match timeout(WHOLE, answered).await {
        Ok(Ok(())) => {}
        Ok(Err(error)) => tracing::debug!(%error, "a connection ended early"),
        Err(_) => tracing::debug!("a connection took too long"),
    }
}
