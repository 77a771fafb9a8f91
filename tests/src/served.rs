//! The program as it serves, with one listener.

use std::{
    hash::{BuildHasher as _, Hasher as _, RandomState},
    io::{BufRead as _, BufReader},
    net::SocketAddr,
    process::Child,
    time::{Duration, Instant},
};

use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};

use crate::Program;

/// An address that nobody else takes, for a server that is stopped and started again, or that cannot
/// be asked which port it chose. Its port is below those that the system gives to whoever asks for
/// any: a test beside this one would get it in the moment in which it is free.
pub fn address_of_its_own() -> SocketAddr {
    loop {
        let any = RandomState::new().build_hasher().finish() % 20_000;
        let port = 10_000 + u16::try_from(any).unwrap_or_default();
        let address = SocketAddr::from(([127, 0, 0, 1], port));
        if std::net::TcpListener::bind(address).is_ok() {
            return address;
        }
    }
}

/// `serve` with a listener, or with HTTP, on a port that the system chose.
#[derive(Debug)]
pub struct Served {
    child: Child,
    address: SocketAddr,
}

impl Served {
    /// Starts it, with these arguments.
    pub fn start(program: &Program, protocol: &str, arguments: &[&str]) -> Self {
        let anywhere = SocketAddr::from(([127, 0, 0, 1], 0));
        Self::start_at(anywhere, program, protocol, arguments)
    }

    /// The same on an address that is known.
    pub fn start_at(at: SocketAddr, program: &Program, protocol: &str, arguments: &[&str]) -> Self {
        let program = program
            .clone()
            .with("TIERDESK_MAIL__LISTENER__0__PROTOCOL", protocol)
            .with("TIERDESK_MAIL__LISTENER__0__ADDRESS", at.to_string());
        Self::wait(&program, &protocol.to_uppercase(), arguments)
    }

    /// Starts what is answered over HTTP, and nothing else.
    pub fn http(program: &Program) -> Self {
        let program = program.clone().with("TIERDESK_HTTP__LISTEN", "127.0.0.1:0");
        Self::wait(&program, "HTTP", &["serve", "--role", "http"])
    }

    /// Starts it, and waits until it says at which address it listens.
    fn wait(program: &Program, name: &str, arguments: &[&str]) -> Self {
        let mut child = program.start(arguments);
        let mut words = BufReader::new(child.stderr.take().expect("it is piped"));
        let mark = format!("{name} on ");
        let mut line = String::new();
        let address = loop {
            line.clear();
            let read = words.read_line(&mut line).expect("it can be read");
            assert!(read > 0, "it ended before it listened");
            if let Some((_, rest)) = line.split_once(&mark) {
                let end = rest.find([',', ' ']).unwrap_or(rest.len());
                let address = rest[..end].trim_end().trim_end_matches('.');
                break address.parse().expect("an address");
            }
        };
        // Whatever it says later must not stop it because nobody reads.
        std::thread::spawn(move || std::io::copy(&mut words, &mut std::io::sink()));
        Self { child, address }
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Asks it to end, and gives its exit code and how long it took.
    pub fn end(mut self) -> (Option<i32>, Duration) {
        let id = i32::try_from(self.child.id()).expect("process ids are small");
        let since = Instant::now();
        kill(Pid::from_raw(id), Signal::SIGTERM).expect("it is there");
        let status = self.child.wait().expect("it ends");
        (status.code(), since.elapsed())
    }

    /// Whether it ended by itself, without an exit code, as a crash does.
    pub fn has_crashed(&mut self) -> bool {
        let deadline = Instant::now() + Duration::from_secs(20);
        while Instant::now() < deadline {
            if let Some(status) = self.child.try_wait().expect("it can be asked") {
                return status.code().is_none();
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        false
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
