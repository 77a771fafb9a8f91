use std::{
    fmt::Write,
    time::{Duration, Instant},
};

use proptest::prelude::*;

use super::*;

fn read(raw: &str) -> Mail {
    parse(raw.as_bytes(), &Envelope::default())
}

/// A mail with a head, and `rest` from Content-Type on.
fn mail(rest: &str) -> Mail {
    read(&format!(
        "From: Ann <ann@x.example>\r\nSubject: s\r\nMIME-Version: 1.0\r\n{rest}"
    ))
}

fn multipart(kind: &str, parts: &[&str]) -> String {
    let mut raw = format!("Content-Type: multipart/{kind}; boundary=\"b-{kind}\"\r\n\r\n");
    for part in parts {
        write!(raw, "--b-{kind}\r\n{part}\r\n").unwrap();
    }
    raw + &format!("--b-{kind}--\r\n")
}

const PLAIN: &str = "Content-Type: text/plain; charset=utf-8\r\n\r\nplain words";
const HTML: &str = "Content-Type: text/html; charset=utf-8\r\n\r\n<p>html <b>words</b></p>";

#[test]
fn an_ordinary_mail() {
    let mail = read(
        "Received: from a by b\r\nFrom: =?utf-8?Q?J=C3=BCrgen?= <j@x.example>\r\n\
         To: a@b.example, \"C, D\" <c@d.example>\r\nCc: e@f.example\r\nReply-To: r@x.example\r\n\
         Subject: =?utf-8?B?R3LDvMOfZQ==?=\r\n there\r\nMessage-ID: <m1@x.example>\r\n\
         In-Reply-To: <m0@x.example>\r\nReferences: <a@x>\r\n <m0@x.example>\r\n\
         Date: Mon, 23 Nov 2026 10:20:00 +0100\r\nImportance: high\r\n\r\nHello\r\n\r\n-- \r\nJ\r\n",
    );
    assert_eq!(
        (&*mail.from[0].address, mail.from[0].name.as_deref()),
        ("j@x.example", Some("Jürgen"))
    );
    assert_eq!(
        (mail.to.len(), mail.cc.len(), mail.reply_to.len()),
        (2, 1, 1)
    );
    assert_eq!(mail.subject, "Grüße there");
    assert_eq!(mail.message_id.as_deref(), Some("m1@x.example"));
    assert_eq!(mail.in_reply_to.as_deref(), Some("m0@x.example"));
    assert_eq!(mail.references, ["a@x", "m0@x.example"]);
    assert_eq!(mail.date.unwrap().to_string(), "2026-11-23T09:20:00Z");
    assert_eq!(
        (&*mail.text, &*mail.reply_text),
        ("Hello\n\n-- \nJ", "Hello")
    );
    assert_eq!(mail.importance, Importance::High);
    assert_eq!((mail.truncated, mail.findings.len()), (false, 0));
}

#[test]
fn plain_text_is_preferred_where_it_says_something() {
    let both = mail(&multipart("alternative", &[PLAIN, HTML]));
    assert_eq!(both.text, "plain words");
    assert_eq!(both.html.as_deref(), Some("<p>html <b>words</b></p>"));
    let blank = mail(&multipart(
        "alternative",
        &["Content-Type: text/plain\r\n\r\n \r\n", HTML],
    ));
    assert_eq!(blank.text, "html words");
    let image = "Content-Type: image/png\r\nContent-ID: <i>\r\n\r\nx";
    let related = multipart("related", &[HTML, image]);
    let nested = mail(&multipart("alternative", &[PLAIN, &related]));
    assert_eq!(
        (&*nested.text, nested.attachments.len()),
        ("plain words", 1)
    );
    assert!(nested.attachments[0].info.inline);
    assert!(nested.html.is_some());
}

#[test]
fn all_bodies_are_joined() {
    let footer = "\r\nlist footer";
    assert_eq!(
        mail(&multipart("mixed", &[HTML, footer])).text,
        "html words\n\nlist footer"
    );
    let choice = multipart("alternative", &[PLAIN, HTML]);
    assert_eq!(
        mail(&multipart("mixed", &[&choice, footer])).text,
        "plain words\n\nlist footer"
    );
    let twice = mail(&multipart("mixed", &["\r\nhtml words", HTML]));
    assert_eq!(twice.text, "html words");
}

#[test]
fn attachments_and_attached_mails() {
    let pdf = "Content-Type: Application/PDF; name=x\r\nContent-Disposition: attachment;\r\n \
               filename=\"../a.pdf\"\r\nContent-Transfer-Encoding: base64\r\n\r\nSGVsbG8=\r\n";
    let attached = "Content-Type: message/rfc822\r\n\r\nSubject: inner / one\r\n\r\ninner words";
    let unnamed = "Content-Type: application/zip\r\n\r\nabc";
    let mail = mail(&multipart("mixed", &[PLAIN, pdf, attached, unnamed]));
    assert_eq!(mail.text, "plain words");
    let found: Vec<_> = mail
        .attachments
        .iter()
        .map(|file| &file.info)
        .map(|file| (&*file.name, &*file.content_type, file.size, file.inline))
        .collect();
    assert_eq!(
        found,
        [
            ("_a.pdf", "application/pdf", 5, false),
            ("inner _ one.eml", "message/rfc822", 35, false),
            ("attachment-3", "application/zip", 3, false),
        ]
    );
    let contents: Vec<_> = mail.attachments.iter().map(|file| &*file.content).collect();
    let inner: &[u8] = b"Subject: inner / one\r\n\r\ninner words";
    assert_eq!(contents, [b"Hello".as_slice(), inner, b"abc"]);
}

#[test]
fn a_name_makes_a_text_a_file_unless_it_is_the_first_text() {
    let named = "Content-Type: text/plain; name=a.txt\r\n\r\nwords";
    let file = "Content-Type: text/plain\r\nContent-Disposition: inline; filename=b.txt\r\n\r\nlog";
    let first = mail(&multipart("mixed", &[named, named]));
    assert_eq!((&*first.text, first.attachments.len()), ("words", 1));
    let only = mail(&multipart("mixed", &[file]));
    assert_eq!(
        (&*only.text, &*only.attachments[0].info.name),
        ("", "b.txt")
    );
    let inner = multipart("mixed", &[HTML, file]);
    let choice = mail(&multipart("alternative", &[PLAIN, &inner]));
    assert_eq!(
        (&*choice.text, choice.attachments.len()),
        ("plain words", 1)
    );
}

#[test]
fn what_is_forwarded_is_part_of_the_reply() {
    let body = "FYI\n\nFrom: A\nSent: Monday\nTo: b\nSubject: x\n\nhelp us";
    let of = |head: &str| read(&format!("From: a@x\n{head}\n\n{body}")).reply_text;
    let answers = "In-Reply-To: <m@x>\nSubject";
    assert_eq!(of(&format!("{answers}: FW: x")), body);
    assert_eq!(of(&format!("{answers}: Re: x")), "FYI");
    assert_eq!(of("References: <m@x>\nSubject: Re: x"), "FYI");
    assert_eq!(of("Subject: Re: x"), "FYI");
    assert_eq!(of("Subject: x"), body, "it answers nothing");
}

#[test]
fn charsets_and_their_absence() {
    let body = |head: &str, body: &[u8]| {
        let raw = [b"From: a@x\n", head.as_bytes(), b"\n\n", body].concat();
        parse(&raw, &Envelope::default())
    };
    assert_eq!(
        body(
            "Content-Type: text/plain; charset=iso-8859-1",
            b"Gr\xfc\xdfe"
        )
        .text,
        "Grüße"
    );
    assert_eq!(body("X: y", b"Gr\xfc\xdfe").text, "Grüße");
    let meta = b"<meta charset=\"windows-1251\"><p>\xcf\xf0\xe8";
    assert_eq!(body("Content-Type: text/html", meta).text, "При");
    let unknown = body("Content-Type: text/plain; charset=klingon", b"words");
    assert_eq!(unknown.text, "words");
    assert!(unknown.findings[0].contains("klingon"));
}

#[test]
fn from_is_a_claim_told_whole() {
    let mail = read("From: a@x.example\nFrom: g: b@x.example;\nSubject: a\0b\n\nx\0y");
    assert_eq!(
        (mail.from.len(), mail.from_headers, mail.from_has_group),
        (2, 2, true)
    );
    assert_eq!((&*mail.subject, &*mail.text), ("ab", "xy"));
    assert!(mail.findings[0].contains("2 From headers"));
}

#[test]
fn what_is_no_mail_is_still_shown() {
    let words = read("hello, my disk is broken\nplease help");
    assert_eq!(words.text, "hello, my disk is broken\nplease help");
    assert!(words.from.is_empty());
    let image = parse(b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0", &Envelope::default());
    assert_eq!((&*image.text, image.attachments.len()), ("", 1));
    let note = read("Note: my disk is broken\n\nplease help");
    assert_eq!(
        (&*note.text, note.from_headers),
        ("Note: my disk is broken\n\nplease help", 0)
    );
    assert_eq!(read("\u{FEFF}\r\n\r\nSubject: s\n\nx").subject, "s");
    let nothing = parse(b"", &Envelope::default());
    assert_eq!((&*nothing.text, &*nothing.reply_text), ("", ""));
}

#[test]
fn the_fingerprint_is_the_one_of_the_raw_mail() {
    let nested = multipart(
        "mixed",
        &[
            PLAIN,
            "Content-Type: message/rfc822\r\n\r\nSubject: i\r\n\r\nx",
        ],
    );
    let raw = format!("From: a@x\r\n{}", multipart("mixed", &[&nested, HTML]));
    assert_eq!(
        read(&raw).fingerprint,
        fingerprint::fingerprint(raw.as_bytes())
    );
    assert_eq!(
        read("no mail").fingerprint,
        fingerprint::fingerprint(b"no mail")
    );
}

#[test]
fn limits_are_told() {
    let text = mail(&format!("\r\n{}", "word ".repeat(2_200_000)));
    assert!(text.truncated && text.text.len() <= limits::TEXT_BYTES);
    assert!(text.findings[0].contains("10 MB") && text.findings[0].contains("raw mail is kept"));
    let parts = mail(&multipart("mixed", &vec![PLAIN; 1_200]));
    assert!(parts.truncated && parts.findings[0].contains("1000"));
    let long = parse(
        &[b"From: a@x\n\n".to_vec(), vec![b'x'; 26 << 20]].concat(),
        &Envelope::default(),
    );
    assert!(long.truncated && long.findings[0].contains("bytes long"));
    let ids = read(&format!(
        "From: a@x\nReferences: {}\n\nx",
        "<a@b>\n ".repeat(2_000)
    ));
    assert!(ids.truncated && ids.references.len() == 1_000);
}

/// Mails made to cost time or memory: a name, a beginning and what is repeated after it.
fn bombs() -> Vec<(&'static str, String, String)> {
    let html = "Content-Type: text/html\n\n";
    let mixed = "Content-Type: multipart/mixed; boundary=b\n\n";
    let mut nested = String::new();
    for level in 0..19 {
        write!(
            nested,
            "Content-Type: multipart/mixed; boundary=b{level}\n\n--b{level}\n"
        )
        .unwrap();
    }
    let bad_part = format!("--b\nContent-Type: a/b;{}\n\nx\n", "a*9=b;".repeat(4_000));
    let nested_part = "--b\nContent-Type: multipart/mixed; boundary=c\n\n--c\n";
    let encoded = format!("To: {}\nCc: {0}\n\nx", "=?utf-8?q?a ".repeat(10_000));
    [
        ("nested and empty lines", &*nested, "\n"),
        ("nested and near boundaries", &nested, "\n--b0x"),
        ("boundaries", mixed, "--b\n"),
        ("containers in a row", mixed, nested_part),
        (
            "levels",
            "",
            "Content-Type: multipart/mixed; boundary=b\n\n--b\n",
        ),
        ("attached mails", "", "Content-Type: message/rfc822\n\n"),
        ("header lines", "", "A: b\n"),
        ("Subject", "Subject: ", "=?utf-8?q?a "),
        ("From", "From: ", "=?utf-8?q?a "),
        ("To and Cc", &encoded, "x"),
        ("comments", "From: ", "("),
        ("references", "References: ", "<a@b> "),
        ("parameters", "Content-Type: text/plain; ", "a*1=b;"),
        ("part parameters", mixed, &bad_part),
        ("html divs", html, "<div>"),
        ("html tables", html, "<table><tr><td>"),
        ("html formatting", html, "<b><p>"),
        ("html styles", html, "<style>"),
        ("html comments", html, "<!--x"),
        ("html quotes", html, "<a \""),
        ("html entities", html, "&amp"),
        ("html lines", html, "<blockquote>a<br>"),
        ("base64", "Content-Transfer-Encoding: base64\n\n", "QUFB\n"),
        (
            "bad base64",
            "Content-Transfer-Encoding: base64\n\n",
            "QUF-",
        ),
        (
            "quoted-printable",
            "Content-Transfer-Encoding: quoted-printable\n\n",
            "=\t ",
        ),
        (
            "utf-7",
            "Content-Type: text/plain; charset=utf-7\n\n",
            "+AGE-",
        ),
        ("latin", "Content-Type: text/plain; charset=latin1\n\n", "ü"),
        (
            "html latin",
            "Content-Type: text/html; charset=latin1\n\n",
            "ü ",
        ),
        ("quotes", "\n", "> On 2026 wrote:\n"),
        ("empty lines", "\nx", "\n"),
        ("binary", "", "\0\u{1}\u{2}"),
        ("no newline", "\n", "x"),
    ]
    .map(|(name, head, piece)| (name, head.to_owned(), piece.to_owned()))
    .into()
}

/// The bomb, `size` bytes long or a little more.
fn built(head: &str, piece: &str, size: usize) -> Vec<u8> {
    let mut raw = Vec::with_capacity(size + head.len() + 10);
    raw.extend(b"From: a@x\n");
    raw.extend(head.bytes());
    raw.extend(piece.bytes().cycle().take(size));
    raw
}

#[test]
fn bombs_cost_little_time() {
    for (name, head, piece) in bombs() {
        let raw = built(&head, &piece, 1 << 20);
        let started = Instant::now();
        parse(&raw, &Envelope::default());
        // An unoptimised build is some ten times slower than what is promised for 25 MB.
        assert!(
            started.elapsed() < Duration::from_secs(10),
            "{name}: {:?}",
            started.elapsed()
        );
    }
}

#[test]
#[ignore = "measures: cargo test --release -- --ignored --nocapture --test-threads 1"]
#[expect(clippy::print_stderr, reason = "the figures are what this test is for")]
fn bombs_of_25_mb() {
    for (name, head, piece) in bombs() {
        let raw = built(&head, &piece, 25 << 20);
        std::fs::write("/proc/self/clear_refs", "5").ok();
        let started = Instant::now();
        let mail = parse(&raw, &Envelope::default());
        let took = started.elapsed();
        let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
        let peak = status
            .lines()
            .find(|line| line.starts_with("VmHWM"))
            .unwrap_or_default();
        eprintln!("{name:28} {took:>12.3?} {peak} text {}", mail.text.len());
        assert!(took < Duration::from_secs(2), "{name} took {took:?}");
    }
}

#[test]
#[ignore = "measures: cargo test --release -- --ignored --nocapture"]
#[expect(clippy::print_stderr, reason = "the figures are what this test is for")]
fn cost_of_an_ordinary_mail() {
    let line = "Some words about a disk that is full, and what we have tried so far.\r\n";
    let plain = format!(
        "Content-Type: text/plain; charset=utf-8\r\n\r\n{}",
        line.repeat(70)
    );
    let html = format!(
        "Content-Type: text/html; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n{}",
        format!("<p>{line}</p>").repeat(180)
    );
    let head =
        "Received: from a by b with ESMTPS id x; Mon, 23 Nov 2026 10:20:00 +0100\r\n".repeat(12);
    let raw = |parts: &[&str]| {
        format!(
            "{head}From: Ann <ann@x.example>\r\nTo: b@y.example\r\nSubject: =?utf-8?Q?Gr=C3=BC=C3=9Fe?=\r\n\
             Message-ID: <a@b>\r\nDate: Mon, 23 Nov 2026 10:20:00 +0100\r\n{}",
            multipart("alternative", parts)
        )
    };
    for (name, raw) in [
        ("plain and html", raw(&[&plain, &html])),
        ("html only", raw(&[&html])),
    ] {
        let started = Instant::now();
        for _ in 0..1_000 {
            std::hint::black_box(parse(raw.as_bytes(), &Envelope::default()));
        }
        eprintln!(
            "{name}: {} bytes, {:?} each",
            raw.len(),
            started.elapsed() / 1_000
        );
    }
}

proptest! {
    #[test]
    fn never_panics_for_any_bytes(raw in proptest::collection::vec(any::<u8>(), 0..2_000)) {
        parse(&raw, &Envelope::default());
    }

    #[test]
    fn never_panics_for_what_looks_like_a_mail(
        pieces in proptest::collection::vec(proptest::sample::select(PIECES), 0..60),
    ) {
        let raw = pieces.concat();
        let mail = read(&raw);
        prop_assert!(!mail.text.contains(['\0', '\r']) && !mail.subject.contains(['\0', '\r', '\n']));
        prop_assert_eq!(mail.reply_text.is_empty(), mail.text.is_empty());
        prop_assert_eq!(mail.fingerprint, fingerprint::fingerprint(raw.as_bytes()));
    }
}

const PIECES: &[&str] = &[
    "From: ",
    "To: a",
    "Subject: ",
    "=?utf-8?Q?=C3",
    "?=",
    "<a@b>",
    "(",
    "\"",
    "\\",
    ",",
    ";",
    ":",
    "\r\n",
    "\n",
    "\n\n",
    " ",
    "\0",
    "ü",
    "Content-Type: multipart/mixed; boundary=b\n\n",
    "--b\n",
    "--b--\n",
    "Content-Type: text/html\n\n",
    "<p>",
    "<b",
    "&#x41;",
    "<!--",
    "text",
    "Content-Transfer-Encoding: base64\n",
    "Content-Transfer-Encoding: quoted-printable\n",
    "=4",
    "=\n",
    "Content-Type: message/rfc822\n\n",
    "Date: Mon, 1 Jan 2026 25:61:61 +9999\n",
    "References: <",
    "Content-Disposition: attachment; filename*0*=utf-8''%41",
    "> ",
    "On 1 May 2026 x wrote:\n",
    "-- \n",
];

#[test]
fn what_is_encrypted_is_said_and_what_is_signed_is_shown() {
    let encrypted = |mail: &Mail| mail.findings.iter().any(|one| one.contains("encrypted"));
    for hidden in [
        "Content-Type: multipart/encrypted; protocol=\"application/pgp-encrypted\"; boundary=b\n\n\
         --b\nContent-Type: application/pgp-encrypted\n\nVersion: 1\n--b\nContent-Type: application/octet-stream\n\n\
         -----BEGIN PGP MESSAGE-----\nabc\n--b--\n",
        "Content-Type: application/pkcs7-mime; smime-type=enveloped-data; name=smime.p7m\nContent-Transfer-Encoding: base64\n\nAAAA\n",
        "Content-Type: text/plain\n\n-----BEGIN PGP MESSAGE-----\n\nabc\n-----END PGP MESSAGE-----\n",
    ] {
        assert!(encrypted(&mail(hidden)), "{hidden}");
    }
    let signed = mail(
        "Content-Type: multipart/signed; protocol=\"application/pgp-signature\"; boundary=b\n\n\
         --b\nContent-Type: text/plain\n\nIt is down.\n--b\nContent-Type: application/pgp-signature\n\nabc\n--b--\n",
    );
    assert!(!encrypted(&signed) && signed.findings.is_empty());
    assert_eq!(signed.text.trim(), "It is down.");
    let within = mail(
        "Content-Type: application/pkcs7-mime; smime-type=signed-data; name=smime.p7m\nContent-Transfer-Encoding: base64\n\nAAAA\n",
    );
    assert!(!encrypted(&within) && within.findings[0].contains("clear signature"));
    assert_eq!(within.attachments[0].info.name, "smime.p7m");
    assert!(!encrypted(&mail(
        "Content-Type: text/plain\n\nWe use -----BEGIN PGP MESSAGE----- blocks.\n"
    )));
}

#[test]
fn plain_text_that_only_says_that_it_cannot_show_the_mail_hides_nothing() {
    let stub = "Content-Type: text/plain\r\n\r\nYour mail program cannot display this message.\r\n";
    let words = "Content-Type: text/html\r\n\r\n<p>The <b>database</b> is down</p>";
    let read = mail(&multipart("alternative", &[stub, words]));
    assert!(read.text.contains("The database is down"), "{}", read.text);
    assert!(read.text.contains("cannot display"), "{}", read.text);
    let plain =
        "Content-Type: text/plain\r\n\r\nThe database behind the dashboard is down since Monday";
    let same = "Content-Type: text/html\r\n\r\n<p>The <b>database</b> behind the dashboard is down since <i>Monday</i></p>";
    let read = mail(&multipart("alternative", &[plain, same]));
    assert_eq!(
        read.text,
        "The database behind the dashboard is down since Monday"
    );
}

#[test]
fn the_text_of_a_related_whole_is_shown_wherever_it_stands() {
    let image = "Content-Type: image/png\r\nContent-ID: <i>\r\n\r\nx";
    let read = mail(&multipart("related", &[image, HTML]));
    assert_eq!((&*read.text, read.attachments.len()), ("html words", 1));
}

#[test]
fn what_is_encrypted_is_told_wherever_it_stands() {
    let enveloped = "MIAGCSqGSIb3DQEHA6CA";
    let signed = "MIAGCSqGSIb3DQEHAqCA";
    let smime = |media: &str, bytes: &str| {
        mail(&format!(
            "Content-Type: {media}\r\nContent-Transfer-Encoding: base64\r\n\r\n{bytes}\r\n"
        ))
    };
    let pgp = "Content-Type: application/pgp-encrypted\r\n\r\nVersion: 1\r\n";
    let is_flagged = |mail: &Mail| {
        mail.findings
            .iter()
            .any(|one| one.contains("it is encrypted"))
    };
    for (what, mail, expected) in [
        (
            "enveloped",
            smime("application/pkcs7-mime", enveloped),
            true,
        ),
        (
            "by its name",
            smime("application/octet-stream; name=smime.p7m", enveloped),
            true,
        ),
        (
            "signed, untold",
            smime("application/pkcs7-mime", signed),
            false,
        ),
        ("in a mixed", mail(&multipart("mixed", &[PLAIN, pgp])), true),
        (
            "below a greeting",
            mail("\r\nHello,\r\n\r\n-----BEGIN PGP MESSAGE-----\r\nx\r\n"),
            true,
        ),
        (
            "spoken of",
            mail("\r\nwhat is -----BEGIN PGP MESSAGE----- ?\r\n"),
            false,
        ),
    ] {
        assert_eq!(is_flagged(&mail), expected, "{what}: {:?}", mail.findings);
    }
}

#[test]
fn words_behind_the_last_boundary_are_shown() {
    let raw = multipart("mixed", &[PLAIN]) + "\r\nPS: it is down again\r\n";
    let read = mail(&raw);
    assert_eq!(read.text, "plain words\n\nPS: it is down again");
    assert!(
        read.findings
            .iter()
            .any(|one| one.contains("behind the end")),
        "{:?}",
        read.findings
    );
    assert!(
        mail(&(multipart("mixed", &[PLAIN]) + "\r\n\r\n"))
            .findings
            .is_empty()
    );
}
