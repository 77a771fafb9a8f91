use super::*;

fn rules(protocol: MailProtocol) -> Rules {
    Rules {
        protocol,
        hostname: "desk.securebase.example".to_owned(),
        recipients: Recipients::new(["support@securebase.example"]),
        mail_bytes: 1_000,
        has_tls: true,
    }
}

/// A session and everything it said and handed over.
struct Talk {
    session: Session,
    said: String,
    stored: Vec<Submission>,
    is_closed: bool,
    /// How many bytes it gets at once.
    piece: usize,
    verdict: Verdict,
}

impl Talk {
    fn new(protocol: MailProtocol) -> Self {
        Self {
            session: Session::new(Arc::new(rules(protocol))),
            said: String::new(),
            stored: Vec::new(),
            is_closed: false,
            piece: usize::MAX,
            verdict: Verdict::Stored,
        }
    }

    /// Hands bytes in as the driver does. Returns what was said to them.
    fn say(&mut self, bytes: impl AsRef<[u8]>) -> String {
        let mut out = Vec::new();
        for piece in bytes.as_ref().chunks(self.piece.min(1 << 20)) {
            let mut rest = piece;
            while !rest.is_empty() && !self.is_closed {
                let (taken, step) = self.session.receive(rest, &mut out);
                rest = &rest[taken..];
                match step {
                    Step::Read => {}
                    Step::StartTls => self.session.start_tls(),
                    Step::Store(submission) => {
                        self.stored.push(submission);
                        self.session.settle(self.verdict, &mut out);
                    }
                    Step::Close => self.is_closed = true,
                }
            }
        }
        let said = String::from_utf8(out).expect("replies are text");
        self.said.push_str(&said);
        said
    }

    fn codes(&mut self, bytes: impl AsRef<[u8]>) -> String {
        let said = self.say(bytes);
        let codes = said.lines().map(|line| line.get(..3).unwrap_or("?"));
        codes.collect::<Vec<_>>().join(" ")
    }
}

fn lmtp() -> Talk {
    let mut talk = Talk::new(MailProtocol::Lmtp);
    talk.say("LHLO mx.securebase.example\r\n");
    talk
}

fn smtp() -> Talk {
    let mut talk = Talk::new(MailProtocol::Smtp);
    talk.say("EHLO mx.acmefinance.com\r\n");
    talk
}

const ENVELOPE: &str =
    "MAIL FROM:<john@acmefinance.com>\r\nRCPT TO:<support@securebase.example>\r\nDATA\r\n";

#[test]
fn a_pipelined_mail_is_handed_over_whatever_pieces_it_comes_in() {
    let whole = format!("{ENVELOPE}Subject: a\r\n\r\n..dot\r\n.\r\nQUIT\r\n");
    for piece in 1..=whole.len() {
        let mut talk = smtp();
        talk.piece = piece;
        assert_eq!(talk.codes(&whole), "250 250 354 250 221", "in {piece}s");
        assert!(talk.is_closed);
        let expected = Submission {
            from: "john@acmefinance.com".to_owned(),
            recipients: vec!["support@securebase.example".to_owned()],
            helo: "mx.acmefinance.com".to_owned(),
            content: b"Subject: a\r\n\r\n.dot\r\n".to_vec(),
        };
        assert_eq!(talk.stored, [expected], "in {piece}s");
    }
}

#[test]
fn a_mail_without_end_is_cut_off_whatever_pieces_it_comes_in() {
    let line = "x".repeat(98) + "\r\n";
    for (lines, codes) in [(39, "250 250 354 552 221"), (41, "250 250 354 521")] {
        let whole = format!("{ENVELOPE}{}.\r\nQUIT\r\n", line.repeat(lines));
        for piece in [1, 7, 100, 4_096, whole.len()] {
            let mut talk = smtp();
            talk.piece = piece;
            assert_eq!(talk.codes(&whole), codes, "{lines} lines in {piece}s");
        }
    }
}

#[test]
fn lmtp_answers_once_for_each_recipient_that_was_accepted() {
    for (verdict, code) in [
        (Verdict::Stored, "250"),
        (Verdict::NotStored, "451"),
        (Verdict::NoRoom, "452"),
    ] {
        let mut talk = lmtp();
        talk.verdict = verdict;
        let said = talk.codes(
            "MAIL FROM:<>\r\nRCPT TO:<support@securebase.example>\r\nRCPT TO:<nobody@x.example>\r\n\
             RCPT TO:<SUPPORT+k1.abc@securebase.example>\r\nRCPT TO:<postmaster>\r\n\
             RCPT TO:<support@securebase.example>\r\nDATA\r\na\r\n.\r\n",
        );
        let answers = [code; 4].join(" ");
        assert_eq!(said, format!("250 250 550 250 250 250 354 {answers}"));
        assert_eq!(talk.stored[0].from, "");
        let recipients = [
            "support@securebase.example",
            "SUPPORT+k1.abc@securebase.example",
            "postmaster",
        ];
        assert_eq!(talk.stored[0].recipients, recipients);
    }
    let mut talk = lmtp();
    let said = talk.codes("MAIL FROM:<>\r\nRCPT TO:<nobody@x.example>\r\nDATA\r\nRSET\r\n");
    assert_eq!(said, "250 550 503 250", "no recipient, no mail");
}

#[test]
fn the_order_of_commands_is_held() {
    for (protocol, words, codes) in [
        (MailProtocol::Smtp, "MAIL FROM:<a@b.example>\r\n", "503"),
        (MailProtocol::Smtp, "LHLO x\r\nHELO x\r\n", "500 250"),
        (MailProtocol::Lmtp, "EHLO x\r\nHELO x\r\n", "500 500"),
        (
            MailProtocol::Smtp,
            "EHLO x\r\nRCPT TO:<support@securebase.example>\r\nDATA\r\nRSET\r\n",
            "250 250 250 250 250 250 250 503 503 250",
        ),
        (
            MailProtocol::Smtp,
            "HELO x\r\nMAIL FROM:<a@b.example>\r\nMAIL FROM:<c@d.example>\r\nRSET\r\n\
             MAIL FROM:<c@d.example>\r\n",
            "250 250 503 250 250",
        ),
        (
            MailProtocol::Smtp,
            "HELO x\r\nNOOP\r\nHELP\r\nVRFY support\r\nEXPN all\r\nETRN x\r\nAUTH PLAIN x\r\n\
             BDAT 3 LAST\r\nWHAT\r\nMAIL FROM:<a@b\r\nQUIT\r\n",
            "250 250 214 252 502 502 502 502 500 501 221",
        ),
    ] {
        assert_eq!(Talk::new(protocol).codes(words), codes, "{words}");
    }
}

#[test]
fn what_is_not_offered_or_not_ours_is_refused() {
    let (sender, ours) = (
        "MAIL FROM:<a@b.example>",
        "RCPT TO:<support@securebase.example>",
    );
    for (line, code) in [
        ("MAIL FROM:<a@b.example> SIZE=1000", "250"),
        ("MAIL FROM:<a@b.example> SIZE=1001", "552"),
        ("MAIL FROM:<a@b.example> SIZE=9999999999999999999", "552"),
        ("MAIL FROM:<a@b.example> BODY=8BITMIME SMTPUTF8", "250"),
        ("MAIL FROM:<a@b.example> BODY=BINARYMIME", "555"),
        ("MAIL FROM:<a@b.example> RET=FULL", "555"),
        ("MAIL FROM:<a@b.example> XFUTURE=1", "555"),
        ("MAIL FROM:<jürgen@b.example>", "553"),
        ("MAIL FROM:<jürgen@b.example> SMTPUTF8", "250"),
        ("MAIL FROM:<a>", "553"),
        ("MAIL FROM: a@b.example", "501"),
    ] {
        let code_now = smtp().codes(format!("{line}\r\n"));
        assert!(code_now == code, "{line}: {code_now}");
    }
    for (line, code) in [
        (ours, "250"),
        ("RCPT TO:<@relay.example:support@securebase.example>", "250"),
        ("RCPT TO:<victim@elsewhere.example>", "550"),
        (
            "RCPT TO:<victim%elsewhere.example@securebase.example>",
            "550",
        ),
        ("RCPT TO:<support@securebase.example> NOTIFY=NEVER", "555"),
        ("RCPT TO:<>", "553"),
        ("RCPT TO:<ü@securebase.example>", "553"),
        ("RCPT TO:<\"support\"@securebase.example>", "250"),
    ] {
        let codes = smtp().codes(format!("{sender}\r\n{line}\r\n"));
        assert_eq!(codes, format!("250 {code}"), "{line}");
    }
}

#[test]
fn only_crlf_dot_crlf_ends_a_mail() {
    let terminators = [
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
    let second = format!("{}second\r\n.\r\n", ENVELOPE.replace("john", "ceo"));
    let mut seconds = 0;
    for terminator in terminators {
        for piece in [1, 3, usize::MAX] {
            let mut talk = smtp();
            talk.piece = piece;
            talk.say(format!("{ENVELOPE}first{terminator}{second}"));
            seconds += talk
                .stored
                .iter()
                .filter(|one| one.from.starts_with("ceo"))
                .count();
            // Without a bare CR or LF it is one mail of text; with one it is none.
            let is_text = terminator.contains('\0');
            assert_eq!(talk.stored.len(), usize::from(is_text), "{terminator:?}");
        }
    }
    let mut control = smtp();
    control.say(format!("{ENVELOPE}first\r\n.\r\n{second}"));
    assert_eq!(
        control.stored.len(),
        2,
        "positive control: the real end makes two"
    );
    assert_eq!(seconds, 0);
}

#[test]
fn a_command_line_ends_in_crlf_and_holds_neither_alone() {
    for line in [
        "NOOP\n",
        "NO\rOP\r\n",
        "NOOP\r\r\n",
        "MAIL FROM:<a@b.example>\rRCPT\r\n",
    ] {
        let mut talk = smtp();
        assert_eq!(talk.codes(line), "521", "{line:?}");
        assert!(talk.is_closed);
        assert_eq!(
            talk.codes(format!("{ENVELOPE}x\r\n.\r\n")),
            "",
            "nothing more is taken"
        );
    }
    for line in [
        &b"NOOP \0\r\n"[..],
        b"NOOP \x1b[2J\r\n",
        b"RCPT TO:<\xff@x.example>\r\n",
    ] {
        assert_eq!(smtp().codes(line), "500", "{line:?}");
    }
}

#[test]
fn everything_a_client_can_repeat_has_an_end() {
    let mut talk = smtp();
    let said = talk.codes("WHAT\r\n".repeat(50));
    assert_eq!(said, format!("{}421", "500 ".repeat(ERRORS)));
    let mut talk = smtp();
    assert!(talk.codes("NOOP\r\n".repeat(200)).ends_with("421"));
    let mut talk = smtp();
    let round = "MAIL FROM:<>\r\nRCPT TO:<support@securebase.example>\r\nRSET\r\n";
    assert!(talk.codes(round.repeat(200)).ends_with("421"));
    let mut talk = smtp();
    assert_eq!(
        talk.codes("x".repeat(LINE_BYTES + 1)),
        "521",
        "no line end needed"
    );
    let mut talk = smtp();
    assert_eq!(
        talk.codes(format!("NOOP {}\r\n", "x".repeat(LINE_BYTES))),
        "521"
    );
    let mut talk = lmtp();
    let rcpt = "RCPT TO:<support@securebase.example>\r\n".repeat(RECIPIENTS + 2);
    let said = talk.codes(format!("MAIL FROM:<>\r\n{rcpt}"));
    assert_eq!(
        said,
        format!("250{}{}", " 250".repeat(RECIPIENTS), " 452".repeat(2))
    );
    let mut talk = smtp();
    let mail = format!("{ENVELOPE}x\r\n.\r\n");
    let mut mails = 0;
    while !talk.is_closed {
        talk.say(&mail);
        mails += 1;
    }
    assert!(
        (3_000..4_000).contains(&mails),
        "{mails} mails in one session"
    );
}

#[test]
fn a_mail_that_is_too_long_is_read_to_its_end_and_refused_or_cut_off() {
    let mut talk = smtp();
    let line = format!("{}\r\n", "x".repeat(98));
    let fits = format!("{ENVELOPE}{}.\r\n", line.repeat(10));
    assert_eq!(talk.codes(fits), "250 250 354 250", "exactly the limit");
    let long = format!("{ENVELOPE}{}y.\r\n", line.repeat(10));
    assert_eq!(talk.codes(long + "\r\n.\r\n"), "250 250 354 552");
    assert_eq!(talk.codes("NOOP\r\n"), "250", "and the session goes on");
    assert_eq!(talk.stored.len(), 1);
    assert_eq!(
        talk.codes(format!("{ENVELOPE}{}", line.repeat(50))),
        "250 250 354 521"
    );
    assert!(talk.is_closed);
}

#[test]
fn a_mail_for_which_there_is_no_room_is_refused_for_now() {
    let mut talk = lmtp();
    talk.say(format!("{ENVELOPE}some text\r\n"));
    assert!(talk.session.held() > 0);
    talk.session.let_go();
    assert_eq!(talk.session.held(), 0);
    assert_eq!(talk.codes("more\r\n.\r\n"), "452");
    assert_eq!(talk.stored.len(), 0);
    assert_eq!(
        talk.codes(format!("{ENVELOPE}again\r\n.\r\n")),
        "250 250 354 250"
    );
}

#[test]
fn nul_and_eight_bit_bytes_are_kept_as_they_came() {
    let mut talk = smtp();
    let mut bytes = ENVELOPE.as_bytes().to_vec();
    bytes.extend_from_slice(b"a\0b\xff\xfe\r\n.\r\n");
    assert_eq!(talk.codes(bytes), "250 250 354 250");
    assert_eq!(talk.stored[0].content, b"a\0b\xff\xfe\r\n");
    assert_eq!(
        smtp().codes(format!("{ENVELOPE}.\r\n")),
        "250 250 354 250",
        "an empty mail"
    );
}

#[test]
fn tls_begins_anew_and_nothing_may_follow_starttls() {
    let mut talk = smtp();
    talk.say("MAIL FROM:<a@b.example>\r\n");
    assert_eq!(talk.codes("STARTTLS\r\n"), "220");
    assert_eq!(
        talk.codes("RCPT TO:<support@securebase.example>\r\nMAIL FROM:<a@b.example>\r\n"),
        "503 503",
        "the sender and the hello are forgotten"
    );
    let offer = talk.say("EHLO x\r\n");
    assert!(!offer.contains("STARTTLS"), "{offer}");
    assert_eq!(talk.codes("STARTTLS\r\n"), "503");
    assert!(smtp().session.may_start_tls());

    let mut talk = smtp();
    assert_eq!(talk.codes("STARTTLS\r\nMAIL FROM:<a@b.example>\r\n"), "521");
    assert!(
        talk.is_closed,
        "nothing in clear text is taken for encrypted"
    );

    let mut plain = rules(MailProtocol::Smtp);
    plain.has_tls = false;
    let mut talk = smtp();
    talk.session.rules = Arc::new(plain);
    assert_eq!(talk.codes("STARTTLS\r\n"), "502");
}

#[test]
fn an_ending_is_said_once_and_final() {
    for (why, code) in [
        (Ending::TimedOut, "421 4.4.2"),
        (Ending::Stopping, "421 4.3.2"),
    ] {
        let mut talk = smtp();
        talk.say(format!("{ENVELOPE}half"));
        let mut out = Vec::new();
        talk.session.end(why, &mut out);
        talk.session.end(why, &mut out);
        let said = String::from_utf8(out).expect("text");
        assert!(
            said.starts_with(code) && said.lines().count() == 1,
            "{said}"
        );
        assert!(matches!(
            talk.session.receive(b"NOOP\r\n", &mut Vec::new()).1,
            Step::Close
        ));
    }
}

proptest::proptest! {
    /// Any bytes in any pieces: no panic, every byte is taken or the session is closed, and no mail
    /// without a recipient of ours.
    #[test]
    fn any_bytes_are_taken(
        words in proptest::collection::vec(
            proptest::sample::select(vec![
                &b"EHLO x\r\n"[..], b"LHLO x\r\n", b"MAIL FROM:<a@b.example>\r\n", b"DATA\r\n", b".\r\n", b"\r\n",
                b"RCPT TO:<support@securebase.example>\r\n", b"RSET\r\n", b"STARTTLS\r\n", b"\n", b"\r", b".",
                b"text\r\n", b"\xff\0", b"QUIT\r\n", b"RCPT TO:<", b"MAIL FROM:<\"a\\", b">", b" SIZE=",
            ]),
            0..60,
        ),
        piece in 1_usize..40,
        is_lmtp: bool,
    ) {
        let protocol = if is_lmtp { MailProtocol::Lmtp } else { MailProtocol::Smtp };
        let mut talk = Talk::new(protocol);
        talk.piece = piece;
        talk.say(words.concat());
        for one in &talk.stored {
            assert!(!one.recipients.is_empty() && !one.helo.is_empty());
            assert!(one.recipients.iter().all(|to| to == "support@securebase.example"));
        }
    }
}
