//! A ticket taken out as a file.

use std::os::unix::fs::PermissionsExt as _;

use tierdesk_tests::{Backend, Program, on_both};

use super::with_customers;

on_both! {
    the_mails_of_an_mbox_are_the_same_mails,
    a_page_holds_no_markup_but_ours,
    json_has_the_whole_ticket_and_the_bytes,
    what_is_redacted_is_in_no_file,
}

const SECRET: &str = "AKIAIOSFODNN7EXAMPLE";

/// A mail that tries to be something else, with a file.
fn hostile() -> Vec<u8> {
    let long = "n".repeat(5_000);
    let head = "From: John <john@acmefinance.com>\r\nTo: support@securebase.example\r\n\
        Subject: </title><script>alert(1)</script> ]]>\r\nMessage-ID: <one@a.example>\r\n\
        Date: Mon, 23 Nov 2026 09:00:00 +0000\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n\
        --b\r\nContent-Type: text/plain; charset=iso-8859-1\r\nContent-Transfer-Encoding: 8bit\r\n\r\n";
    let text = format!(
        "</style><script>alert(2)</script> ]]> key {SECRET}\r\n\r\nFrom eve@b.example Mon Nov 23 10:00:00 2026\r\n\
         >From quoted\r\nhttps://a.example/?a=1&b=2 javascript:alert(3)\r\nGr\u{0}"
    );
    let file = format!(
        "\r\n--b\r\nContent-Type: text/html; name=\"{long}.html\"\r\nContent-Disposition: attachment\r\n\r\n\
         <script>alert(4)</script>\r\n--b--\r\n"
    );
    // ü and ß in Latin-1: no UTF-8.
    [
        head.as_bytes(),
        text.as_bytes(),
        b"\xfc\xdfe",
        file.as_bytes(),
    ]
    .concat()
}

async fn with_ticket(backend: Backend) -> (Program, impl Sized) {
    let (program, folder) = with_customers(backend).await;
    let answer = b"From: ann@acmefinance.com\r\nTo: support@securebase.example\r\nSubject: Re: it\r\n\
        Message-ID: <two@a.example>\r\nIn-Reply-To: <one@a.example>\r\n\r\nNo line end\r\n\r\n>>From twice";
    for mail in [&hostile()[..], answer] {
        program.run_with(&["mail", "deliver"], mail).done();
    }
    program
        .run_with(&["ticket", "note", "SB-1"], b"among us: <b>inside</b>")
        .done();
    (program, folder)
}

fn export(program: &Program, words: &[&str]) -> tierdesk_tests::Ended {
    program.run(&[&["ticket", "export", "SB-1", "--format"], words].concat())
}

async fn the_mails_of_an_mbox_are_the_same_mails(backend: Backend) {
    let (program, _folder) = with_ticket(backend).await;
    let place = tempfile::tempdir().expect("a folder");
    let file = place.path().join("SB-1.mbox").display().to_string();
    let told = export(&program, &["mbox", "--out", &file, "--json"])
        .done()
        .json();
    assert_eq!(
        (&told["messages"], &told["removed"]),
        (&2.into(), &0.into())
    );
    let mode = std::fs::metadata(&file)
        .expect("it is there")
        .permissions()
        .mode();
    assert_eq!(mode & 0o777, 0o600);
    let again = export(&program, &["mbox", "--out", &file]);
    assert_eq!(again.code, Some(1), "nothing is written over: {again:?}");
    let raw = std::fs::read(&file).expect("it is read");
    let holds = |text: &str| raw.windows(text.len()).any(|part| part == text.as_bytes());
    assert!(holds(SECRET), "the raw mail is what came");
    assert!(holds("\n>From eve@b.example"));

    // The same desk knows every mail; an empty one takes them as new.
    let here = program
        .run(&["mail", "import", &file, "--json"])
        .done()
        .json();
    assert_eq!(
        (&here["read"], &here["duplicate"]),
        (&2.into(), &2.into()),
        "{here}"
    );
    let (empty, _other) = with_customers(backend).await;
    let there = empty
        .run(&["mail", "import", &file, "--json"])
        .done()
        .json();
    assert_eq!(
        (&there["read"], &there["duplicate"]),
        (&2.into(), &0.into()),
        "{there}"
    );
    let texts = |program: &Program| {
        let shown = program
            .run(&["ticket", "show", "SB-1", "--json"])
            .done()
            .json();
        let messages = shown["messages"].as_array().cloned().unwrap_or_default();
        let mails = messages.into_iter().filter(|one| one["direction"] == "in");
        let mut texts: Vec<_> = mails.map(|one| one["text"].to_string()).collect();
        texts.sort();
        texts
    };
    assert_eq!(texts(&empty), texts(&program));
    let trail = program.run(&["audit", "list", "--json"]).done().out.clone();
    assert_eq!(
        trail.matches("ticket.export_mail").count(),
        1,
        "once: the refused one read nothing"
    );
    let to_json = export(&program, &["mbox", "--json"]);
    assert_eq!(to_json.json()["error"]["code"], "invalid");
}

async fn a_page_holds_no_markup_but_ours(backend: Backend) {
    let (program, _folder) = with_ticket(backend).await;
    let inside = export(&program, &["html"]).done().out.clone();
    let outside = export(&program, &["html", "--without-notes"])
        .done()
        .out
        .clone();
    for page in [&inside, &outside] {
        let tags = page.to_lowercase();
        for wrong in [
            "<script",
            "<img",
            "src=",
            "<link",
            "href=\"javascript",
            "@import",
            "url(",
        ] {
            assert!(!tags.contains(wrong), "{wrong}");
        }
        assert_eq!(tags.matches("</style>").count(), 1);
        assert!(
            tags.contains("&lt;script&gt;alert(2)"),
            "positive control: it is there as text"
        );
        assert!(tags.contains("href=\"https://a.example/?a=1&amp;b=2\""));
        assert!(
            !page.contains('\0') && !page.contains(SECRET),
            "masked, and no NUL"
        );
        assert!(page.contains("href=\"data:application/octet-stream;base64,"));
    }
    assert!(inside.contains("Internal note by") && inside.contains("&lt;b&gt;inside"));
    for internal in [
        "among us", "Internal", "internal", "Assigned", "Tags", "note",
    ] {
        let text = outside.split_once("<body>").map_or("", |(_, body)| body);
        assert!(!text.contains(internal), "{internal}");
    }
}

async fn json_has_the_whole_ticket_and_the_bytes(backend: Backend) {
    let (program, _folder) = with_ticket(backend).await;
    let listed = export(&program, &["json"]).done().json();
    assert!(listed["attachments"][0]["content_base64"].is_null());
    let full = export(&program, &["json", "--attachments"]).done().json();
    let content = full["attachments"][0]["content_base64"]
        .as_str()
        .unwrap_or_default();
    let content = data_encoding::BASE64
        .decode(content.as_bytes())
        .expect("it is base64");
    assert!(content.starts_with(b"<script>alert(4)"), "{content:?}");
    assert_eq!(full["messages"].as_array().map(Vec::len), Some(3));
    assert_eq!(full["events"][0]["kind"], "opened");
    let shown = program
        .run(&["ticket", "show", "SB-1", "--json"])
        .done()
        .json();
    assert_eq!(full["messages"], shown["messages"]);
    let trail = program.run(&["audit", "list", "--json"]).done().out.clone();
    assert_eq!(trail.matches("\"ticket.export\"").count(), 2);
    let missing = program.run(&["ticket", "export", "SB-9", "--format", "json", "--json"]);
    assert_eq!(missing.json()["error"]["code"], "not_found");
}

async fn what_is_redacted_is_in_no_file(backend: Backend) {
    let (program, _folder) = with_ticket(backend).await;
    let word = "alert(2)";
    let all = |program: &Program| {
        ["json", "html", "mbox"].map(|format| {
            let place = tempfile::tempdir().expect("a folder");
            let file = place.path().join("out").display().to_string();
            export(program, &[format, "--out", &file]).done();
            String::from_utf8_lossy(&std::fs::read(&file).expect("it is read")).contains(word)
        })
    };
    assert_eq!(all(&program), [true; 3], "positive control");
    let redact = [
        "ticket", "redact", "SB-1", "--all", "--reason", "a key", "--yes",
    ];
    program.run(&redact).done();
    assert_eq!(all(&program), [false; 3]);
}
