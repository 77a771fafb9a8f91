//! What must hold for any bytes. Each function is the whole of one fuzz target; the tests run the
//! same over seeds and kept crashers, so this file knows neither libFuzzer nor files.

use std::sync::Arc;

use tierdesk_core::{
    customers::EmailAddress,
    mail::{Envelope, Mail, Mailbox, SenderCheck},
    settings::MailProtocol,
};
use tierdesk_ingest::{
    authentication_results as results,
    fields::Fields,
    fingerprint::fingerprint,
    fuzzing, limits,
    listener::{
        Recipients,
        session::{Rules, Session, Step, Submission, Verdict},
    },
    parse::parse,
    reply_text as reply,
};

/// Reading any bytes as a mail.
pub fn parser(data: &[u8]) {
    let mail = parse(data, &Envelope::default());
    for value in header_values(&mail) {
        assert!(!value.contains(['\0', '\r', '\n']), "in a value: {value:?}");
    }
    let html = mail.html.as_deref().unwrap_or_default();
    for text in [&mail.text, &mail.reply_text, html] {
        assert!(!text.contains(['\0', '\r']), "in a text: {text:?}");
    }
    assert!(mail.text.contains(&*mail.reply_text), "words were added");
    assert_eq!(mail.reply_text.is_empty(), mail.text.is_empty());
    assert_eq!(mail.fingerprint, fingerprint(data), "not the same mail");
    is_bounded(&mail, data.len());
    // A server's word on the sender is read from the same bytes.
    let (fields, _) = Fields::split(data);
    for check in [SenderCheck::Authserv, SenderCheck::Exchange] {
        let _ = results::evidence(&fields, check, Some("mx.ours.example"));
    }
}

/// Everything that was one header value, or a part of one.
fn header_values(mail: &Mail) -> Vec<&str> {
    let people = [&mail.from, &mail.to, &mail.cc, &mail.reply_to];
    let people = people.into_iter().flatten().chain(&mail.forwarded);
    let people = people.flat_map(|one| [Some(&one.address), one.name.as_ref()]);
    let ids = [&mail.message_id, &mail.in_reply_to];
    let files = mail.attachments.iter();
    let bounce = mail.bounce.iter();
    people
        .flatten()
        .chain(ids.into_iter().flatten())
        .chain([&mail.subject])
        .chain(&mail.references)
        .chain(&mail.delivered_to)
        .chain(&mail.internal_headers)
        .chain(&mail.findings)
        .chain(&mail.auto.reason)
        .chain(files.flat_map(|file| [&file.info.name, &file.info.content_type]))
        .chain(bounce.flat_map(|one| one.recipients.iter().chain(&one.original_id)))
        .map(String::as_str)
        .collect()
}

/// No mail grows much while it is read: a byte becomes a character of three at most, and some
/// headers are read twice.
fn is_bounded(mail: &Mail, bytes: usize) {
    let values: usize = header_values(mail).iter().map(|value| value.len()).sum();
    let html = mail.html.as_ref().map_or(0, String::len);
    let whole = values + mail.text.len() + mail.reply_text.len() + html;
    assert!(whole <= 16 * bytes + 4_096, "{whole} bytes of {bytes}");
    assert!(mail.text.len() + html <= 3 * limits::TEXT_BYTES);
    assert!(mail.attachments.len() <= limits::PARTS);
    assert!(mail.references.len() <= limits::MESSAGE_IDS);
    // A file that is wrapped in another may be kept with it.
    let attached: usize = mail.attachments.iter().map(|file| file.content.len()).sum();
    assert!(
        attached <= 2 * bytes,
        "{attached} bytes attached of {bytes}"
    );
    let longest = mail
        .attachments
        .iter()
        .map(|file| file.info.name.chars().count());
    assert!(longest.max().unwrap_or(0) <= limits::NAME_CHARS);
}

/// Reading a header block for the people in it, and values for encoded words.
pub fn addresses(data: &[u8]) {
    let value: Vec<u8> = [b"From: ", data, b"\r\n\r\n"].concat();
    for block in [data, &value] {
        let (people, headers) = fuzzing::addresses(block, "From");
        assert!(headers > 0 || people.is_empty());
        assert!(people.len() <= block.len());
        people.iter().for_each(is_sound);
        let bytes: usize = people.iter().map(|one| one.address.len()).sum();
        assert!(bytes <= 4 * block.len(), "{bytes} bytes of {}", block.len());
    }
    let text = String::from_utf8_lossy(data);
    let decoded = fuzzing::encoded_words(&text);
    assert!(decoded.len() <= 4 * text.len() + 16);
    if !text.contains("=?") {
        assert_eq!(decoded, text, "there was nothing to decode");
    }
}

fn is_sound(mailbox: &Mailbox) {
    let name = mailbox.name.as_deref();
    for value in [Some(&*mailbox.address), name].into_iter().flatten() {
        assert!(!value.is_empty() && !value.contains(['\0', '\r', '\n']));
    }
    // What is taken for an address once is the same address whenever it is read again.
    if let Ok(address) = mailbox.address.parse::<EmailAddress>() {
        assert_eq!(address.as_str().parse(), Ok(address.clone()), "{mailbox:?}");
        assert!(address.domain().to_string().len() <= 253);
    }
}

/// A mail server's word on the sender: whatever follows what our server wrote changes nothing of it.
pub fn authentication_results(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let own = "mx.ours.example; dmarc=fail header.from=acme.example";
    let alone = results::parse(own);
    let read = results::parse(&text);
    assert!(
        read.findings.len() <= 64,
        "{} findings",
        read.findings.len()
    );
    let with_more = results::parse(&format!("{own}; {text}"));
    assert_eq!(with_more.authserv_id, alone.authserv_id);
    assert_eq!(with_more.findings.first(), alone.findings.first());
    let in_comment = results::parse(&format!("{own} ({text}"));
    if !text.contains([')', '\\']) {
        assert_eq!(in_comment, alone, "what a comment hides is not said");
    }
    let in_quotes = results::parse(&format!("{own} reason=\"{text}"));
    if !text.contains(['"', '\\']) {
        assert_eq!(in_quotes, alone, "what quotes hide is not said");
    }
    let evidence = |block: &[u8]| {
        let (fields, _) = Fields::split(block);
        results::evidence(&fields, SenderCheck::Authserv, Some("MX.ours.example"))
    };
    let ours = format!("Authentication-Results: {own}\r\nX-Below: y\r\n").into_bytes();
    let with_junk = [&ours, data].concat();
    assert_eq!(evidence(&with_junk), evidence(&ours));
    let _ = results::propose([data, &ours, &with_junk]);
}

/// What somebody wrote this time, out of any text.
pub fn reply_text(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let reply = reply::reply_text(&text);
    let range = text.as_bytes().as_ptr_range();
    let found = reply.as_bytes().as_ptr_range();
    assert!(range.start <= found.start && found.end <= range.end);
    assert_eq!(reply.is_empty(), text.trim().is_empty());
    assert_eq!(reply.trim(), reply);
}

/// HTML as text.
pub fn html_text(data: &[u8]) {
    // As the parser hands it in; what a character reference means comes out of the reading itself.
    let html = String::from_utf8_lossy(data).replace('\r', "\n");
    let html = html.replace('\0', "");
    let text = fuzzing::html_text(&html);
    assert!(!text.contains(['\r', '\0']), "{text:?}");
    // Lists, quotes and tables are laid out; the least of them is some bytes long.
    let most = 128 * html.len() + 1_024;
    assert!(text.len() <= most, "{} bytes of {}", text.len(), html.len());
    if !html.contains(['<', '&']) {
        let words = |text: &str| text.split_whitespace().map(str::len).sum::<usize>();
        assert!(words(&text) <= words(&html), "words were added: {text:?}");
    }
}

/// What Outlook wraps into `winmail.dat`: the bytes as a whole stream, and as the formatted text of one.
pub fn tnef(data: &[u8]) {
    let formatted = |packing: &[u8; 4]| {
        let size = u32::try_from(data.len()).unwrap_or(u32::MAX);
        let packed = size.saturating_add(12).to_le_bytes();
        let text = [&packed, &size.to_le_bytes(), packing, &[0; 4], data].concat();
        let length = u32::try_from(text.len()).unwrap_or(u32::MAX).to_le_bytes();
        // One property: binary, PidTagRtfCompressed, one value.
        let mut properties = vec![1, 0, 0, 0, 0x02, 0x01, 0x09, 0x10, 1, 0, 0, 0];
        properties.extend(length);
        properties.extend(&text);
        properties.resize(properties.len().next_multiple_of(4), 0);
        let length = u32::try_from(properties.len())
            .unwrap_or(u32::MAX)
            .to_le_bytes();
        let start: &[u8] = &[0x78, 0x9F, 0x3E, 0x22, 1, 0, 1, 0x03, 0x90, 0x06, 0];
        [start, &length, &properties, &[0, 0]].concat()
    };
    for stream in [data.to_vec(), formatted(b"LZFu"), formatted(b"MELA")] {
        let Some(read) = fuzzing::tnef(&stream) else {
            continue;
        };
        // Files are pieces of the stream, however many there are of them.
        let files: usize = read.files.iter().sum();
        assert!(files <= stream.len(), "{files} bytes of {}", stream.len());
        for text in read.texts {
            assert!(!text.contains('\0'), "{text:?}");
            assert!(text.len() <= limits::TEXT_BYTES, "{} bytes", text.len());
        }
    }
}

/// What a session said and handed over.
#[derive(Debug, Default, PartialEq, Eq)]
struct Talk {
    said: String,
    stored: Vec<Submission>,
}

/// The longest mail that the fuzzed listener takes: short, so that the limit is met.
const MAIL_BYTES: usize = 200;

/// A listener's session: the first four bytes say how it is set up and in what pieces the rest
/// comes.
pub fn smtp_session(data: &[u8]) {
    let Some(([set_up, pieces @ ..], words)) = data.split_first_chunk::<4>() else {
        return;
    };
    let whole = talk(*set_up, &[words.len().max(1)], words);
    let pieces = pieces.map(|piece| usize::from(piece) + 1);
    let in_pieces = talk(*set_up, &pieces, words);
    // Whether something came behind STARTTLS is asked of the bytes that lie there, so the pieces
    // matter, and a handshake follows that is none of the session's.
    let until_tls = |talk: &Talk| match talk.said.split_once("\r\n220 2.0.0 start TLS") {
        Some((before, _)) => before.to_owned(),
        None => match talk.said.split_once("\r\n521 5.5.1 nothing may follow") {
            Some((before, _)) => before.to_owned(),
            None => talk.said.clone(),
        },
    };
    assert_eq!(until_tls(&whole), until_tls(&in_pieces), "{pieces:?}");
    assert_eq!(whole.stored, in_pieces.stored, "{pieces:?}");
    is_in_order(&whole, words);
}

fn talk(set_up: u8, pieces: &[usize], mut words: &[u8]) -> Talk {
    let rules = Rules {
        protocol: [MailProtocol::Smtp, MailProtocol::Lmtp][usize::from(set_up & 1)],
        hostname: "desk.example".to_owned(),
        recipients: Recipients::new(["support@desk.example"]),
        mail_bytes: MAIL_BYTES,
        has_tls: set_up & 2 != 0,
    };
    let verdicts = [Verdict::Stored, Verdict::NotStored, Verdict::NoRoom];
    let verdict = verdicts[usize::from(set_up >> 2) % verdicts.len()];
    let mut session = Session::new(Arc::new(rules));
    let (mut out, mut stored) = (Vec::new(), Vec::new());
    session.greet(&mut out);
    let mut sizes = pieces.iter().cycle();
    'talk: while !words.is_empty() {
        let size = sizes.next().map_or(1, |size| *size).min(words.len());
        let (mut piece, rest) = words.split_at(size);
        words = rest;
        while !piece.is_empty() {
            let (taken, step) = session.receive(piece, &mut out);
            piece = &piece[taken..];
            assert!(session.held() <= 2 * MAIL_BYTES + 64 * 1024);
            match step {
                Step::Read => assert!(piece.is_empty(), "it stopped reading"),
                Step::Store(mail) => {
                    stored.push(mail);
                    session.settle(verdict, &mut out);
                }
                Step::StartTls | Step::Close => break 'talk,
            }
        }
    }
    let said = String::from_utf8(out).expect("replies are text");
    Talk { said, stored }
}

/// Every reply is one, and every mail came between a 354 and CR LF . CR LF: a line end that only
/// some servers take for one makes no second mail.
fn is_in_order(talk: &Talk, words: &[u8]) {
    assert!(talk.said.ends_with("\r\n"), "{:?}", talk.said);
    for line in talk.said.split_terminator("\r\n") {
        assert!(!line.contains(['\r', '\n']), "{line:?}");
        let code = line.get(..3).unwrap_or_default();
        assert!(code.bytes().all(|byte| byte.is_ascii_digit()), "{line:?}");
        assert!(
            matches!(line.as_bytes().get(3), Some(b' ' | b'-')),
            "{line:?}"
        );
    }
    let gone_on = talk.said.matches("\r\n354 ").count();
    assert!(talk.stored.len() <= gone_on, "a mail without DATA");
    let ends = memmem(words, b"\r\n.\r\n");
    assert!(talk.stored.len() <= ends, "a mail that did not end");
    for mail in &talk.stored {
        assert!(!mail.recipients.is_empty() && mail.content.len() <= MAIL_BYTES);
        for line in mail.content.split_inclusive(|byte| *byte == b'\n') {
            let text = line.strip_suffix(b"\r\n").expect("a line ends in CR LF");
            assert!(!text.contains(&b'\r'), "a CR alone");
        }
        for address in &mail.recipients {
            let domain = address.to_lowercase();
            let domain = domain.trim_end_matches('.');
            assert!(domain == "postmaster" || domain.ends_with("@desk.example"));
        }
    }
}

/// How often `wanted` stands in `bytes` without overlap.
fn memmem(bytes: &[u8], wanted: &[u8]) -> usize {
    let (mut at, mut count) = (0, 0);
    while at + wanted.len() <= bytes.len() {
        if &bytes[at..at + wanted.len()] == wanted {
            count += 1;
            at += wanted.len();
        } else {
            at += 1;
        }
    }
    count
}
