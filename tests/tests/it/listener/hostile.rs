//! Clients that mean harm, or only behave as if: everything they can do has an end, and the desk
//! goes on serving others.

use std::{
    net::SocketAddr,
    time::{Duration, Instant},
};

use tierdesk_core::settings::MailProtocol;
use tierdesk_ingest::listener::Patience;
use tierdesk_tests::{Backend, Letter, MailClient, TestDesk};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    task::JoinSet,
};

use super::{Listening, SUPPORT, settings};

const ENVELOPE: &str =
    "MAIL FROM:<john@acmefinance.com>\r\nRCPT TO:<support@securebase.example>\r\nDATA\r\n";

/// What ends a mail for one server or another; only CR LF . CR LF does here.
const TERMINATORS: [&str; 12] = [
    "\n.\n",
    "\n.\r\n",
    "\r.\r",
    "\r.\r\n",
    "\r\n.\n",
    "\r\n.\r",
    "\n.\r",
    "\r.\n",
    "\r\n\0.\r\n",
    "\n\n.\r\n",
    "\r\r\n.\r\r\n",
    "\r\n.\r\r\n",
];

async fn stage(patience: Patience) -> (TestDesk, Listening) {
    let test = TestDesk::new(Backend::Sqlite).await;
    let listening = Listening::start(&test, &settings(MailProtocol::Smtp), patience).await;
    (test, listening)
}

/// Sends bytes at once, as a client that waits for nothing. Returns all that was answered.
async fn blurt(address: SocketAddr, bytes: &str) -> String {
    let mut client = MailClient::connect(address, "EHLO")
        .await
        .expect("it answers");
    client.say(bytes).await.expect("it is sent");
    let mut heard = String::new();
    while let Ok(said) = client.reply().await {
        heard.push_str(&said);
    }
    heard
}

#[tokio::test]
async fn no_second_mail_is_smuggled_in() {
    let (test, listening) = stage(Patience::default()).await;
    let smuggled = format!(
        "{}smuggled\r\n.\r\nQUIT\r\n",
        ENVELOPE.replace("john", "ceo")
    );
    for terminator in TERMINATORS {
        let bytes = format!("{ENVELOPE}Subject: {terminator:?}\r\n\r\nfirst{terminator}{smuggled}");
        let heard = blurt(listening.address, &bytes).await;
        assert!(
            !heard.contains("354 ") || heard.matches("354 ").count() == 1,
            "{heard}"
        );
    }
    let by_ceo = "SELECT COUNT(*) FROM inbox WHERE envelope_from = 'ceo@acmefinance.com'";
    let seconds = test.number(by_ceo).await;
    let taken = test.number("SELECT COUNT(*) FROM inbox").await;
    blurt(
        listening.address,
        &format!("{ENVELOPE}first\r\n.\r\n{smuggled}"),
    )
    .await;
    let control = test.number(by_ceo).await;
    println!(
        "{} terminators: {seconds} second mails, {taken} taken; control: {control} second mail",
        TERMINATORS.len()
    );
    assert_eq!((seconds, control), (0, 1));
    // A NUL before the dot is text and no line end.
    assert_eq!(taken, 1);
    listening.end().await;
}

#[tokio::test]
async fn one_client_cannot_shut_the_others_out() {
    let test = TestDesk::new(Backend::Sqlite).await;
    let mut few = settings(MailProtocol::Smtp);
    few.max_connections = 3;
    let listening = Listening::start(&test, &few, Patience::default()).await;
    let mut held = Vec::new();
    for _ in 0..3 {
        held.push(
            MailClient::connect(listening.address, "EHLO")
                .await
                .expect("there is room"),
        );
    }
    let (_, said) = MailClient::greeted(listening.address)
        .await
        .expect("it is told");
    assert!(said.starts_with("421 4.7.0"), "{said}");
    held.pop();
    super::wait_until("the place is not given back", async || {
        MailClient::connect(listening.address, "EHLO").await.is_ok()
    })
    .await;
    drop(held);
    listening.end().await;
}

#[tokio::test]
async fn silence_and_dripping_bytes_end_a_connection() {
    let short = Duration::from_millis(400);
    for (what, patience, opening) in [
        (
            "silent",
            Patience {
                idle: short,
                ..Patience::default()
            },
            "",
        ),
        (
            "half a command",
            Patience {
                command: short,
                ..Patience::default()
            },
            "EHLO x\r\nMAIL F",
        ),
        (
            "half a mail",
            Patience {
                content: short,
                ..Patience::default()
            },
            "content",
        ),
        (
            "a long session",
            Patience {
                session: short,
                ..Patience::default()
            },
            "EHLO x\r\n",
        ),
    ] {
        let (test, listening) = stage(patience).await;
        let mut client = TcpStream::connect(listening.address)
            .await
            .expect("it listens");
        let hello = format!("EHLO x\r\n{ENVELOPE}");
        let opening = if opening == "content" {
            &hello
        } else {
            opening
        };
        client.write_all(opening.as_bytes()).await.expect("sent");
        let (began, mut heard) = (Instant::now(), Vec::new());
        let (mut reader, mut writer) = client.into_split();
        // A byte now and then.
        let mut dripping = JoinSet::new();
        dripping.spawn(async move {
            // Where silence is the offence, none.
            if what == "silent" {
                std::future::pending::<()>().await;
            }
            while writer.write_all(b"x").await.is_ok() {
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        });
        let end = tokio::time::timeout(Duration::from_secs(10), reader.read_to_end(&mut heard));
        let _ = end.await.expect("it is closed");
        dripping.abort_all();
        let heard = String::from_utf8_lossy(&heard);
        assert!(heard.contains("421 4.4.2"), "{what}: {heard}");
        assert!(began.elapsed() >= short, "{what}");
        assert_eq!(test.number("SELECT COUNT(*) FROM inbox").await, 0);
        listening.end().await;
    }
}

#[tokio::test]
async fn a_mail_larger_than_promised_is_refused_early_and_late() {
    let (test, listening) = stage(Patience::default()).await;
    let limit = tierdesk_ingest::limits::MAIL_BYTES;
    let mut client = MailClient::connect(listening.address, "EHLO")
        .await
        .expect("it answers");
    let declared = format!("MAIL FROM:<a@acmefinance.com> SIZE={}\r\n", limit + 1);
    assert!(
        client
            .ask(&declared)
            .await
            .expect("an answer")
            .starts_with("552 5.3.4")
    );
    let line = format!("{}\r\n", "x".repeat(998));
    let long = line.repeat(limit / line.len() + 1);
    let said = client
        .deliver(&[SUPPORT], long.as_bytes(), 1)
        .await
        .expect("an answer");
    assert!(said[0].starts_with("552 5.3.4"), "{said:?}");
    let fits = line.repeat(limit / line.len());
    let said = client
        .deliver(&[SUPPORT], fits.as_bytes(), 1)
        .await
        .expect("an answer");
    assert!(said[0].starts_with("250"), "{said:?}");
    assert_eq!(test.number("SELECT COUNT(*) FROM inbox").await, 1);
    listening.end().await;
}

#[tokio::test]
async fn mail_held_for_all_connections_has_a_limit() {
    let patience = Patience {
        held_bytes: 300_000,
        ..Patience::default()
    };
    let (test, listening) = stage(patience).await;
    let mut greedy = MailClient::connect(listening.address, "EHLO")
        .await
        .expect("it answers");
    greedy.say(ENVELOPE).await.expect("it is sent");
    for code in ["250", "250", "354"] {
        assert!(greedy.reply().await.expect("an answer").starts_with(code));
    }
    let lines = "text of a mail\r\n".repeat(40_000);
    greedy.say(&lines).await.expect("it is sent");
    let said = greedy.ask(".\r\n").await.expect("an answer");
    assert!(said.starts_with("452 4.3.1"), "{said}");
    let mail = Letter::new("john@acmefinance.com", "a").bytes();
    let said = greedy
        .deliver(&[SUPPORT], &mail, 1)
        .await
        .expect("an answer");
    assert!(said[0].starts_with("250"), "there is room again: {said:?}");
    assert_eq!(test.number("SELECT COUNT(*) FROM inbox").await, 1);
    listening.end().await;
}

#[tokio::test]
async fn stopping_tells_clients_to_come_back() {
    let (_test, listening) = stage(Patience::default()).await;
    let mut client = MailClient::connect(listening.address, "EHLO")
        .await
        .expect("it answers");
    listening.stop.cancel();
    let said = client.reply().await.expect("it says so");
    assert!(said.starts_with("421 4.3.2"), "{said}");
    listening.end().await;
}
