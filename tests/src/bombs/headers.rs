use super::{Bomb, WHOLE, filled, numbered};

/// A header block's end and a body.
const END: &[u8] = b"\r\n\r\nbody\r\n";

fn ended(mut raw: Vec<u8>) -> Vec<u8> {
    raw.extend_from_slice(END);
    raw
}

/// One header, `piece` over and over, and a body.
fn header(name: &str, piece: &str, size: usize) -> Vec<u8> {
    ended(filled(format!("{name}: "), piece, size))
}

pub(super) const BOMBS: &[Bomb] = &[
    ("100,000 headers", || {
        ended(numbered("", 100_000, |n| format!("X-Header-{n}: {n}\r\n")))
    }),
    ("50,000 Received lines", || {
        ended(numbered("", 50_000, |n| {
            format!(
                "Received: from a{n}.example by b.example with ESMTP id {n};\r\n Mon, 23 Nov 2026 09:00:00 +0000\r\n"
            )
        }))
    }),
    ("a header of 20 MB", || header("X-Long", "word ", 20 << 20)),
    ("a header in 5,000,000 lines", || {
        header("Subject", "x\r\n ", 20 << 20)
    }),
    ("a header of 20 MB before From", || {
        let mut raw = b"X-Long: ".to_vec();
        raw.resize(20 << 20, b'x');
        raw.extend_from_slice(b"\r\nFrom: a@b.example\r\nSubject: s\r\n\r\nbody\r\n");
        raw
    }),
    ("From with 1 MB of people", || {
        ended(numbered("From: ", 40_000, |n| {
            format!("Person <p{n}@x.example>, ")
        }))
    }),
    ("1,000 From headers", || {
        ended(numbered("", 1_000, |n| {
            format!("From: {}p{n}@x.example\r\n", "\"a\" ".repeat(50))
        }))
    }),
    ("To with encoded words that never end", || {
        header("To", "=?utf-8?q?a ", 1 << 20)
    }),
    ("a subject of encoded words that never end", || {
        header("Subject", "=?utf-8?b?QUFB", 1 << 20)
    }),
    ("a subject in 20,000 charsets", || {
        ended(numbered("Subject: ", 20_000, |n| {
            format!("=?x-{n}?B?/w==?= ")
        }))
    }),
    ("comments in one another in From", || {
        header("From", "(", 1 << 20)
    }),
    ("comments in one another in To, closed", || {
        let (open, close) = ("(".repeat(500_000), ")".repeat(500_000));
        ended(numbered(
            &format!("To: {open}{close} a@b.example"),
            0,
            |_| String::new(),
        ))
    }),
    ("groups in one another", || {
        header("To", "g: a@b.example, ", 1 << 20)
    }),
    ("angle brackets in one another", || {
        header("Cc", "<", 1 << 20)
    }),
    ("quotes and backslashes", || {
        header("Reply-To", "\"\\", 1 << 20)
    }),
    ("References with 500,000 ids", || {
        ended(numbered("References: ", 500_000, |n| {
            format!("<{n}@x.example>\r\n ")
        }))
    }),
    ("a Message-ID of 1 MB", || {
        header("Message-ID", "<a", 1 << 20)
    }),
    ("Content-Type with 100,000 parameters", || {
        ended(numbered("Content-Type: text/plain", 100_000, |n| {
            format!("; p{n}=v")
        }))
    }),
    ("100,000 continuations of a name", || {
        ended(numbered("Content-Disposition: attachment", 100_000, |n| {
            format!(";\r\n filename*{n}*=%41%42")
        }))
    }),
    ("1,000 parts with 1,000 continuations", || {
        let head = "Content-Type: multipart/mixed; boundary=b\r\n\r\n";
        numbered(head, 1_000, |part| {
            let name = |n: usize| format!(";name*{n}*=%{:02x}", part % 256);
            let many = (0..1_000).rev().map(name).collect::<Vec<_>>().concat();
            format!("--b\r\nContent-Type: a/b{many}\r\n\r\nx\r\n")
        })
    }),
    ("Authentication-Results of comments", || {
        header("Authentication-Results", "mx (((a) ", WHOLE / 2)
    }),
    ("1,000 Authentication-Results", || {
        ended(numbered("", 1_000, |n| {
            format!(
                "Authentication-Results: mx{n}.example; {}\r\n",
                "dkim=pass (x) header.d=a.example; ".repeat(7)
            )
        }))
    }),
];
