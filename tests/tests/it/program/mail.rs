//! Mail in through the program.

use std::fs;

use tierdesk_tests::{Backend, Program, corpus::Random, on_both};

use super::{letter, with_customers};

on_both! {
    deliver_answers_in_the_agreed_shape,
    whatever_the_bytes_they_are_kept,
    import_reads_every_kind_of_mailbox_and_is_silent,
    mail_that_opened_nothing_is_found_with_its_reason,
    mail_through_our_own_group_is_people_s,
}

async fn deliver_answers_in_the_agreed_shape(backend: Backend) {
    let (program, _folder) = with_customers(backend).await;
    let mail = letter("John@AcmeFinance.com", "Dashboard error", "1@acme");
    let got = program
        .run_with(&["mail", "deliver", "--json"], &mail)
        .done()
        .json();
    assert_eq!(got["outcome"], "opened");
    assert_eq!(got["ticket"], "SB-1");
    assert_eq!(got["customer"], "acme-finance");
    assert_eq!(got["tier"], "fintech");
    assert_eq!(got["framework"], "SOC 2");
    assert_eq!(got["trust"], "unproven");
    assert_eq!(got["kind"], "person");
    assert_eq!(got["severity"], "sev3");
    assert_eq!(got["priority"], "p4");
    assert!(
        got["reasons"]
            .as_array()
            .is_some_and(|reasons| !reasons.is_empty())
    );

    let again = program
        .run_with(&["mail", "deliver", "--json"], &mail)
        .done()
        .json();
    assert_eq!(
        (&again["outcome"], &again["ticket"]),
        (&"duplicate".into(), &"SB-1".into())
    );
    assert_eq!(again["customer"], "acme-finance");

    let stranger = letter("a@stranger.example", "Hello", "2@stranger");
    let got = program
        .run_with(&["mail", "deliver", "--json"], &stranger)
        .done()
        .json();
    assert_eq!(got["outcome"], "triaged");
    for key in ["customer", "tier", "framework"] {
        assert!(got[key].is_null(), "{key}: {got}");
    }
    let bounce = ["mail", "deliver", "--json", "--envelope-from", ""];
    let got = program
        .run_with(&bounce, &letter("a@stranger.example", "Failed", "3@s"))
        .done()
        .json();
    assert_eq!(
        (&got["outcome"], &got["kind"]),
        (&"recorded".into(), &"bounce".into())
    );
    assert!(got["ticket"].is_null());
}

async fn whatever_the_bytes_they_are_kept(backend: Backend) {
    let (program, _folder) = with_customers(backend).await;
    let mut random = Random::new(7);
    let noise: Vec<u8> = (0..4_000)
        .map(|_| random.number().to_be_bytes()[0])
        .collect();
    for bytes in [
        &noise[..],
        b"\0",
        b"\n",
        b"no header at all",
        b"From: a@b.com, c@d.com\n\nhi",
    ] {
        let got = program.run_with(&["mail", "deliver", "--json"], bytes);
        assert_eq!(got.code, Some(0), "{got:?}");
        assert_eq!(got.json()["outcome"], "triaged", "{got:?}");
    }
    let empty = program.run_with(&["mail", "deliver", "--json"], b"");
    assert_eq!(empty.code, Some(65), "{empty:?}");
    assert_eq!(empty.json()["error"]["code"], "empty");
    let list = program
        .run(&["ticket", "list", "--triage", "--json"])
        .done()
        .json();
    assert_eq!(list.as_array().map(Vec::len), Some(5));
}

async fn import_reads_every_kind_of_mailbox_and_is_silent(backend: Backend) {
    let (program, _folder) = with_customers(backend).await;
    let folder = tempfile::tempdir().expect("a temporary folder");
    let place = |name: &str| folder.path().join(name).display().to_string();
    for part in ["cur", "new", "tmp"] {
        fs::create_dir_all(folder.path().join("Maildir").join(part)).expect("a Maildir");
    }
    let one = letter("john@acmefinance.com", "one", "1@acme");
    let reply =
        String::from_utf8(letter("jane@acmefinance.com", "Re: one", "2@acme")).expect("text");
    let reply = reply.replace("Message-ID:", "In-Reply-To: <1@acme>\r\nMessage-ID:");
    fs::write(folder.path().join("Maildir/cur/1:2,S"), &one).expect("written");
    fs::write(folder.path().join("Maildir/new/0"), &reply).expect("written");
    let mut mbox = b"From x Mon Nov 23 09:00:00 2026\n".to_vec();
    mbox.extend(letter("security@techgov.gov", "[SEV1] three", "3@techgov"));
    mbox.extend(b"\nFrom x Mon Nov 23 09:00:00 2026\n");
    mbox.extend(&one);
    fs::write(folder.path().join("old.mbox"), mbox).expect("written");
    fs::write(
        folder.path().join("single.eml"),
        letter("x@nobody.example", "four", "4@n"),
    )
    .expect("written");
    let paths = [place("Maildir"), place("old.mbox"), place("single.eml")];
    let arguments = ["mail", "import", &paths[0], &paths[1], &paths[2], "--json"];
    let got = program.run(&arguments).done().json();
    assert_eq!(got["read"], 5);
    assert_eq!(got["opened"], 2);
    assert_eq!(
        got["appended"], 1,
        "the answer came first and waited for its parent"
    );
    assert_eq!(got["duplicate"], 1);
    assert_eq!(got["triaged"], 1);
    assert_eq!(got["failed"], 0);
    assert_eq!(got["by_customer"]["acme-finance"], 2);
    assert_eq!(got["by_customer"]["techgov"], 1);
    let list = program.run(&["ticket", "list", "--json"]).done().json();
    for ticket in list.as_array().expect("a list") {
        assert_eq!(ticket["is_silent"], true);
        assert!(
            ticket["sla"]["first_response"]["due"].is_null(),
            "history has no clock"
        );
        assert!(
            ticket["opened_at"]
                .as_str()
                .is_some_and(|at| at.starts_with("2026-11-23T09:00"))
        );
    }
    let again = program.run(&arguments).done().json();
    assert_eq!(
        (&again["read"], &again["duplicate"]),
        (&5.into(), &5.into())
    );
}

#[test]
fn parse_answers_in_the_agreed_shape_whatever_comes() {
    let program = Program::new("sqlite:///nonexistent/never-opened.db");
    let mail = b"From: John <john@acmefinance.com>\r\nTo: a@b.example, B <b@b.example>\r\n\
        Subject: =?utf-8?Q?Gr=C3=BC=C3=9Fe?=\r\nMessage-ID: <m@x>\r\nIn-Reply-To: <p@x>\r\n\
        References: <o@x> <p@x>\r\nDate: Mon, 23 Nov 2026 09:00:00 +0100\r\n\r\nYes.\r\n\r\n\
        On Mon, 23 Nov 2026 at 08:00, Desk <d@b.example> wrote:\r\n> Really?\r\n";
    let got = program
        .run_with(&["mail", "parse", "--json"], mail)
        .done()
        .json();
    assert_eq!(got["from"]["address"], "john@acmefinance.com");
    assert_eq!(got["from"]["name"], "John");
    assert_eq!(got["to"].as_array().map(Vec::len), Some(2));
    assert_eq!(got["subject"], "Grüße");
    assert_eq!(got["message_id"], "m@x");
    assert_eq!(got["in_reply_to"], "p@x");
    assert_eq!(got["references"], serde_json::json!(["o@x", "p@x"]));
    assert_eq!(got["date"], "2026-11-23T08:00:00Z");
    assert_eq!(got["reply_text"].as_str().map(str::trim), Some("Yes."));
    assert!(
        got["text"]
            .as_str()
            .is_some_and(|text| text.contains("Really?"))
    );
    assert_eq!(got["auto"]["kind"], "none");
    assert_eq!(got["truncated"], false);
    for bytes in [
        &b"\0\xff\xfe"[..],
        b"\n\n\n",
        &"-".repeat(100_000).into_bytes(),
    ] {
        assert!(
            program
                .run_with(&["mail", "parse", "--json"], bytes)
                .done()
                .json()
                .is_object()
        );
    }
    assert_eq!(
        program.run_with(&["mail", "parse", "--json"], b"").code,
        Some(65)
    );
}

async fn mail_that_opened_nothing_is_found_with_its_reason(backend: Backend) {
    let (program, folder) = with_customers(backend).await;
    let none = program.run(&["mail", "recorded"]);
    assert!(none.done().out.contains("Every mail is on a ticket"));
    let list =
        b"From: news@acmefinance.com\r\nTo: support@securebase.example\r\nSubject: our news\r\n\
        List-Id: <news.acmefinance.com>\r\nMessage-ID: <n@acmefinance.com>\r\n\r\nNews.\r\n";
    program.run_with(&["mail", "deliver"], list).done();
    program
        .run_with(
            &["mail", "deliver"],
            &letter("john@acmefinance.com", "down", "p@a"),
        )
        .done();
    let found = program.run(&["mail", "recorded", "--json"]).done().json();
    assert_eq!(found.as_array().map(Vec::len), Some(1), "{found}");
    assert_eq!(
        (&found[0]["kind"], &found[0]["subject"]),
        (&"list".into(), &"our news".into())
    );
    assert!(
        found[0]["reasons"].to_string().contains("List-Id"),
        "{found}"
    );
    drop(folder);
}

async fn mail_through_our_own_group_is_people_s(backend: Backend) {
    let (program, folder) = with_customers(backend).await;
    let through = |list: &str, id: &str| {
        format!(
            "From: john@acmefinance.com\r\nTo: support@securebase.example\r\nSubject: prod down {id}\r\n\
             List-ID: {list}\r\nPrecedence: list\r\nMessage-ID: <{id}@a>\r\n\r\nHelp.\r\n"
        )
    };
    let deliver = ["mail", "deliver", "--json"];
    let ours = through("<support.securebase.example>", "g1");
    let receipt = program.run_with(&deliver, ours.as_bytes()).done().json();
    assert_eq!(
        (&receipt["outcome"], &receipt["kind"]),
        (&"opened".into(), &"person".into()),
        "{receipt}"
    );
    let theirs = through("<all.acmefinance.com>", "g2");
    let receipt = program.run_with(&deliver, theirs.as_bytes()).done().json();
    assert_eq!(
        receipt["outcome"], "recorded",
        "positive control: {receipt}"
    );
    drop(folder);
}
