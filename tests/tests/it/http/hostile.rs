//! Clients that dawdle, say too much, or say what is no HTTP: each loses its connection in time, and others
//! are answered meanwhile.

use std::{
    net::SocketAddr,
    time::{Duration, Instant},
};

use tierdesk_tests::{
    Backend, Program, Served, TestDesk, address_of_its_own,
    http_client::{ask, exchange, hear},
};
use tokio::{io::AsyncWriteExt as _, net::TcpStream, task::JoinSet};

const SECRET: &str = "a-secret-of-20-letters";

async fn served() -> (Served, impl Sized) {
    let (url, folder) = TestDesk::place(Backend::Sqlite).await;
    let program = Program::new(url).with("TIERDESK_HTTP__PAGERDUTY_SECRET", SECRET);
    (Served::http(&program), folder)
}

/// A POST that would be read: its signature has the right form.
fn post_head(length: usize) -> String {
    format!(
        "POST /hooks/pagerduty HTTP/1.1\r\nHost: h\r\nContent-Length: {length}\r\n\
         X-PagerDuty-Signature: v1={}\r\n\r\n",
        "0".repeat(64)
    )
}

/// Says this, then a byte now and then; gives what is answered, and after how long the connection ends.
async fn dawdle(at: SocketAddr, first: String, drip: bool) -> (Option<u16>, Duration) {
    let since = Instant::now();
    let mut stream = TcpStream::connect(at).await.expect("it listens");
    stream
        .write_all(first.as_bytes())
        .await
        .expect("it is taken");
    let (mut near, mut far) = stream.into_split();
    let mut dripping = JoinSet::new();
    dripping.spawn(async move {
        while drip && far.write_all(b"x").await.is_ok() {
            tokio::time::sleep(Duration::from_millis(300)).await;
        }
        std::future::pending::<()>().await;
    });
    let mut heard = Vec::new();
    let all = async {
        use tokio::io::AsyncReadExt as _;
        while near.read_buf(&mut heard).await.is_ok_and(|read| read > 0) {}
    };
    tokio::time::timeout(Duration::from_secs(40), all)
        .await
        .expect("the server ends the connection");
    let status = String::from_utf8_lossy(&heard);
    let status = status.split(' ').nth(1).and_then(|code| code.parse().ok());
    (status, since.elapsed())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_dawdles_loses_the_connection_and_holds_up_nobody() {
    let (served, _folder) = served().await;
    let at = served.address();
    let mut slow = JoinSet::new();
    for (name, first, drip, seconds, statuses) in [
        ("nothing is said", String::new(), false, 5..9, &[][..]),
        ("half a line", "GET /hea".to_owned(), false, 5..9, &[]),
        (
            "a header a byte at a time",
            "GET /health HTTP/1.1\r\nX: ".to_owned(),
            true,
            5..9,
            &[],
        ),
        (
            "no body behind its head",
            post_head(1_000),
            false,
            10..15,
            &[408],
        ),
        (
            "a body a byte at a time",
            post_head(1_000),
            true,
            10..15,
            &[408],
        ),
    ] {
        slow.spawn(async move {
            let (status, took) = dawdle(at, first, drip).await;
            println!("{name}: {status:?} after {took:.1?}");
            assert!(seconds.contains(&took.as_secs()), "{name}: {took:?}");
            // 408 may be told before the connection ends, or the connection just ends.
            assert!(
                status.is_none_or(|status| status == 408),
                "{name}: {status:?}"
            );
            assert!(
                statuses.is_empty() || status.is_some_and(|status| statuses.contains(&status)),
                "{name}: {status:?}"
            );
        });
    }
    // Two hundred more than there are places.
    let since = Instant::now();
    let mut crowd = Vec::new();
    for _ in 0..456 {
        crowd.push(TcpStream::connect(at).await.expect("it listens"));
    }
    let told = ask(at, "GET", "/health").await;
    println!(
        "behind {} that say nothing: {} after {:.1?}",
        crowd.len(),
        told.status,
        since.elapsed()
    );
    assert_eq!(told.status, 200);
    // It waited until the first of them had lost theirs: there is a limit, and an end to it.
    let waited = since.elapsed().as_secs();
    assert!((3..20).contains(&waited), "{waited} s");
    drop(crowd);
    while let Some(done) = slow.join_next().await {
        done.expect("it holds");
    }
    let since = Instant::now();
    assert_eq!(ask(at, "GET", "/health").await.status, 200);
    assert!(
        since.elapsed() < Duration::from_secs(3),
        "{:?}",
        since.elapsed()
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn too_much_is_refused() {
    let (served, _folder) = served().await;
    let at = served.address();
    let limit = 256 * 1024;
    let chunked = |length: usize| {
        let head = post_head(0).replace("Content-Length: 0", "Transfer-Encoding: chunked");
        format!("{head}{length:x}\r\n{}\r\n0\r\n\r\n", "x".repeat(length)).into_bytes()
    };
    let told = |length: usize| [post_head(length).into_bytes(), vec![b'x'; length]].concat();
    let header = |length: usize| {
        format!(
            "GET /health HTTP/1.1\r\nHost: h\r\nX: {}\r\n\r\n",
            "x".repeat(length)
        )
        .into_bytes()
    };
    let headers = |count: usize| {
        format!(
            "GET /health HTTP/1.1\r\nHost: h\r\n{}\r\n",
            "X: y\r\n".repeat(count)
        )
        .into_bytes()
    };
    for (name, bytes, wanted) in [
        ("a body of the most that is read", told(limit), 401),
        ("the same in chunks", chunked(limit), 401),
        // Said beforehand, so that nothing need be sent.
        (
            "a body of a byte more",
            post_head(limit + 1).into_bytes(),
            413,
        ),
        ("a body of terabytes", post_head(1 << 42).into_bytes(), 413),
        ("a header of 4 KB", header(4_096), 200),
        ("a header of 64 KB", header(65_536), 431),
        ("80 headers", headers(80), 200),
        ("500 headers", headers(500), 431),
    ] {
        let answer = exchange(at, &bytes).await;
        let status = answer.as_ref().map(|told| told.status);
        println!("{name}: {status:?}");
        assert_eq!(status, Some(wanted), "{name}: {answer:?}");
    }
    // It is refused in the middle, and a client that still sends may not hear it.
    let answer = exchange(at, &chunked(limit + 1)).await;
    assert!(answer.is_none_or(|told| told.status == 413));
    assert_eq!(ask(at, "GET", "/health").await.status, 200);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_no_http_is_refused_and_one_request_is_all() {
    let (served, _folder) = served().await;
    let at = served.address();
    for bytes in [
        &b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"[..],
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        b"GET /health\r\n\r\n",
        b"GET /health HTTP/9.9\r\n\r\n",
        b"GET /health HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
        b"EHLO mail.example\r\n",
        b"\r\n\r\n\r\n\0\0\0\0",
    ] {
        let mut stream = TcpStream::connect(at).await.expect("it listens");
        let _ = stream.write_all(bytes).await;
        let _ = stream.shutdown().await;
        let told = hear(&mut stream).await;
        assert!(
            told.as_ref().is_none_or(|told| told.status != 200),
            "{told:?}"
        );
    }
    let twice = "GET /health HTTP/1.1\r\nHost: h\r\n\r\n".repeat(2);
    let told = exchange(at, twice.as_bytes()).await.expect("an answer");
    assert_eq!(
        (told.status, told.body.matches("HTTP/1.1").count()),
        (200, 0)
    );
    assert_eq!(told.header("connection"), Some("close"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_port_that_is_taken_is_told_at_once_and_a_stop_waits_for_nobody() {
    let (url, _folder) = TestDesk::place(Backend::Sqlite).await;
    let taken = std::net::TcpListener::bind("127.0.0.1:0").expect("it listens");
    let address = taken.local_addr().expect("an address").to_string();
    let program = Program::new(url).with("TIERDESK_HTTP__LISTEN", &address);
    for arguments in [&["serve", "--role", "http"][..], &["serve"]] {
        let ended = program.run(arguments);
        assert_eq!(ended.code, Some(1), "{ended:?}");
        let words = format!("{}{}", ended.out, ended.err);
        assert!(
            words.contains(&address) && words.contains("http.listen"),
            "{words}"
        );
    }
    drop(taken);
    let own = address_of_its_own();
    let (url, _folder) = TestDesk::place(Backend::Sqlite).await;
    let served = Served::http(&Program::new(url));
    assert_ne!(served.address(), own);
    let mut held = TcpStream::connect(served.address())
        .await
        .expect("it listens");
    held.write_all(b"GET /health HTTP/1.1\r\n")
        .await
        .expect("it is taken");
    tokio::time::sleep(Duration::from_millis(200)).await;
    let (code, took) = served.end();
    println!("ended after {took:.1?} with a request that was never finished");
    assert_eq!(code, Some(0));
    assert!(took < Duration::from_secs(8), "{took:?}");
}

/// Without `http.listen` it is not part of `serve`: nobody gets a port that they did not ask for.
#[test]
fn serve_answers_over_http_only_where_it_is_set() {
    use std::io::{BufRead as _, BufReader};
    let folder = tempfile::tempdir().expect("a temporary folder");
    let program = Program::new(format!("sqlite://{}/desk.db", folder.path().display()));
    for (program, has_http) in [
        (program.clone(), false),
        (program.with("TIERDESK_HTTP__LISTEN", "127.0.0.1:0"), true),
    ] {
        let mut child = program.start(&["serve"]);
        let words = BufReader::new(child.stderr.take().expect("it is piped"));
        let said = words.lines().map_while(Result::ok);
        let said = said.take(50).find(|line| line.contains("tierdesk serves"));
        let _ = child.kill();
        let _ = child.wait();
        let said = said.expect("it says what it serves");
        assert_eq!(said.contains("HTTP on 127.0.0.1:"), has_http, "{said}");
    }
}
