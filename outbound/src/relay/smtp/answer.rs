//! Answers of a server, as lettre can read them.
//!
//! lettre reads strictly: an answer without text, one with a byte that is no UTF-8, a long line and a line that
//! ends in LF are none to it. An acceptance that was not understood would send the letter again for days.

use super::step::Cause;

/// An answer is not longer than this, all its lines together.
const LONGEST_REPLY: usize = 64 * 1024;
/// Of a line no more is passed on: lettre refuses lines of more than 1,000 bytes.
const LONGEST_LINE: usize = 900;

/// Takes an answer off what was heard, if all of it is there, in the form that RFC 5321, 4.2 has.
pub(super) fn take_answer(heard: &mut Vec<u8>) -> Result<Option<String>, Cause> {
    let (mut lines, mut taken) = (Vec::new(), 0);
    let mut ending = None;
    for line in heard.split_inclusive(|byte| *byte == b'\n') {
        if !line.ends_with(b"\n") || ending.is_some() {
            break;
        }
        taken += line.len();
        let (code, is_last, text) = parse(line.trim_ascii_end())?;
        // Lines of one answer have one code; where they do not, the last one counts.
        ending = is_last.then_some(code);
        lines.push(text);
    }
    if taken > LONGEST_REPLY || heard.len() - taken > LONGEST_REPLY {
        let words = "an answer without an end";
        return Err(Cause::Nonsense(words.to_owned()));
    }
    let Some(code) = ending else {
        return Ok(None);
    };
    heard.drain(..taken);
    if lines.iter().all(|text| text.trim().is_empty()) {
        lines = vec!["(without a word)".to_owned()];
    }
    let last = lines.pop().unwrap_or_default();
    let mut answer = String::new();
    for text in lines {
        answer.extend([&code, "-", &text, "\r\n"]);
    }
    answer.extend([&code, " ", &last, "\r\n"]);
    Ok(Some(answer))
}

/// The code of a line, whether it is the last one of its answer, and its text.
fn parse(line: &[u8]) -> Result<(String, bool, String), Cause> {
    let text = |bytes: &[u8]| {
        let mut text = String::from_utf8_lossy(bytes).replace('\r', " ");
        text.truncate(text.floor_char_boundary(LONGEST_LINE));
        text
    };
    if let [b'2'..=b'5', b'0'..=b'5', b'0'..=b'9', rest @ ..] = line {
        let code = text(&line[..3]);
        match rest {
            [] => return Ok((code, true, String::new())),
            [b' ', rest @ ..] => return Ok((code, true, text(rest))),
            [b'-', rest @ ..] => return Ok((code, false, text(rest))),
            _ => {}
        }
    }
    let start: String = text(line).chars().take(80).collect();
    Err(Cause::Nonsense(format!("{start:?}")))
}

#[cfg(test)]
mod tests {
    use lettre::transport::smtp::response::Response;
    use proptest::prelude::*;

    use super::*;

    /// All answers, and what is left of what was heard.
    fn hear(bytes: &[u8]) -> Result<(Vec<String>, Vec<u8>), Cause> {
        let (mut heard, mut answers) = (bytes.to_vec(), Vec::new());
        while let Some(answer) = take_answer(&mut heard)? {
            answers.push(answer);
        }
        Ok((answers, heard))
    }

    #[test]
    fn answers_are_read_generously() {
        for (bytes, shown) in [
            (&b"250 2.0.0 Ok\r\n"[..], "250 2.0.0 Ok\r\n"),
            (b"250\r\n", "250 (without a word)\r\n"),
            (b"250-\r\n250\n", "250 (without a word)\r\n"),
            (
                b"550-no\r\n550 such user\r\n",
                "550-no\r\n550 such user\r\n",
            ),
            (b"250 gr\xfc\xdfe\r\n", "250 gr\u{fffd}\u{fffd}e\r\n"),
            (b"250-a\r\n451 b\r\n", "451-a\r\n451 b\r\n"),
        ] {
            assert_eq!(hear(bytes), Ok((vec![shown.to_owned()], Vec::new())));
        }
        let long = format!("250 {}\r\n", "\u{fc}".repeat(5_000));
        let (answers, _) = hear(long.as_bytes()).unwrap();
        assert!(answers[0].len() <= 1_000 && answers[0].parse::<Response>().is_ok());
    }

    #[test]
    fn one_answer_is_taken_at_a_time() {
        let (answers, rest) = hear(b"354 go\r\n552-too\r\n552 large\r\n250-and").unwrap();
        assert_eq!(answers, ["354 go\r\n", "552-too\r\n552 large\r\n"]);
        assert_eq!(rest, b"250-and");
    }

    #[test]
    fn what_is_no_answer_is_told() {
        let long = vec![b'2'; LONGEST_REPLY * 2];
        let many = b"250-a\r\n".repeat(LONGEST_REPLY);
        for bytes in [
            &b"HTTP/1.1 400\r\n"[..],
            b"25\r\n",
            b"999 x\r\n",
            b"250_x\r\n",
            &long,
            &many,
        ] {
            assert!(matches!(hear(bytes), Err(Cause::Nonsense(_))));
        }
    }

    proptest! {
        #[test]
        fn whatever_comes_lettre_reads_what_is_passed_on(
            bytes in "([2-5][0-5][0-9]([ -]\\PC{0,9})?(\r\n|\n)|\\PC|\r|\n){0,9}",
            at in any::<prop::sample::Index>(),
            byte in any::<u8>(),
        ) {
            let mut bytes = bytes.into_bytes();
            bytes.insert(at.index(bytes.len() + 1), byte);
            for answer in hear(&bytes).map(|(answers, _)| answers).unwrap_or_default() {
                prop_assert!(answer.parse::<Response>().is_ok(), "{answer:?}");
            }
        }
    }
}
