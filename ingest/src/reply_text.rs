//! What the sender wrote this time: a text without quoted earlier mail and signature.
//!
//! No word that the sender wrote may be lost, so in doubt a line stays. The answer is one piece of
//! the text: quotes are cut from its end (and, with their attribution, from its start), never from
//! between answers.

mod attribution;
mod device;
mod header_block;
mod pasted;
mod signature;

pub(crate) use header_block::is_forward_line;

/// [`reply_text_of`] for a mail that answers another.
pub fn reply_text(text: &str) -> &str {
    reply_text_of(text, true)
}

/// `text` without quoted mail and signature; never blank unless `text` is. Linear in its length.
///
/// `text` has LF line ends, as the parser makes them. A mail that answers nothing has no earlier mail
/// below it: a block of headers there was pasted, to be read.
pub fn reply_text_of(text: &str, is_answer: bool) -> &str {
    let lines = Lines::of(text);
    // Our marker comes back only in an answer, whatever became of its headers.
    let is_answer = is_answer || (0..lines.len()).any(|index| is_marker(lines.line(index).trim()));
    let (end, quote_follows) = match first_cut(&lines, is_answer) {
        Cut::Whole => return text.trim(),
        Cut::At(cut) => (cut, true),
        Cut::Nowhere => (lines.len(), false),
    };
    let end = without_tail(&lines, end, quote_follows);
    let start = after_leading_quote(&lines, end);
    let reply = lines.text(start, end);
    if reply.is_empty() { text.trim() } else { reply }
}

/// A text and where its lines begin.
struct Lines<'a> {
    text: &'a str,
    starts: Vec<usize>,
}

impl<'a> Lines<'a> {
    fn of(text: &'a str) -> Self {
        let mut starts = vec![0];
        starts.extend(memchr::memchr_iter(b'\n', text.as_bytes()).map(|at| at + 1));
        Self { text, starts }
    }

    fn len(&self) -> usize {
        self.starts.len()
    }

    fn offset(&self, line: usize) -> usize {
        self.starts.get(line).copied().unwrap_or(self.text.len())
    }

    /// The line without its line end.
    fn line(&self, index: usize) -> &'a str {
        self.text[self.offset(index)..self.offset(index + 1)].trim_end_matches('\n')
    }

    fn is_blank(&self, index: usize) -> bool {
        self.line(index).trim().is_empty()
    }

    fn is_quoted(&self, index: usize) -> bool {
        self.line(index).trim_start().starts_with('>')
    }

    /// The lines from `start` to before `end`, trimmed.
    fn text(&self, start: usize, end: usize) -> &'a str {
        if start >= end {
            ""
        } else {
            self.text[self.offset(start)..self.offset(end)].trim()
        }
    }

    /// `end` moved back over blank lines.
    fn before_blanks(&self, mut end: usize) -> usize {
        while end > 0 && self.is_blank(end - 1) {
            end -= 1;
        }
        end
    }

    fn only_quotes_from(&self, start: usize) -> bool {
        (start..self.len()).all(|line| self.is_blank(line) || self.is_quoted(line))
    }
}

/// What an unquoted earlier mail means for the text.
enum Cut {
    /// It is to be read, or has answers in it.
    Whole,
    /// It begins at this line and was said before.
    At(usize),
    Nowhere,
}

/// Where an unquoted earlier mail begins: our marker, Outlook's line, or a block of headers. One
/// with nothing before it is no reply to it, so nothing is cut there.
fn first_cut(lines: &Lines<'_>, is_answer: bool) -> Cut {
    let cut = |is_after_words: bool, index: usize| {
        if is_after_words {
            Cut::At(index)
        } else {
            Cut::Nowhere
        }
    };
    let mut is_after_words = false;
    let mut is_forward = false;
    for index in 0..lines.len() {
        let line = lines.line(index).trim();
        if line.is_empty() {
            continue;
        }
        if is_marker(line) {
            // Quoted by others it may have answers below it: then only a clean tail is cut.
            let is_end = !lines.is_quoted(index) || lines.only_quotes_from(index);
            return cut(is_after_words && is_end, index);
        }
        if lines.is_quoted(index) {
            is_after_words = true;
            continue;
        }
        // What is forwarded is what the sender wants to be read.
        is_forward |= header_block::is_forward_line(line);
        if !is_forward && header_block::begins_at(lines, index) {
            if !is_answer || pasted::is_announced(lines, index) {
                return Cut::Whole;
            }
            return cut(is_after_words, index);
        }
        is_after_words = true;
    }
    Cut::Nowhere
}

fn is_marker(line: &str) -> bool {
    line.contains("##") && line.to_lowercase().contains("reply above this line")
}

/// `end` moved back over quotes, attributions, signatures and device lines, until none is left.
fn without_tail(lines: &Lines<'_>, mut end: usize, mut quote_follows: bool) -> usize {
    // Found once: the text may begin with megabytes of nothing.
    let first = (0..end).find(|&index| !lines.is_blank(index));
    loop {
        end = lines.before_blanks(end);
        if end == 0 {
            return 0;
        }
        if lines.is_quoted(end - 1) {
            let mut start = end;
            while start > 0 && (lines.is_quoted(start - 1) || lines.is_blank(start - 1)) {
                start -= 1;
            }
            // Apple quotes what it forwards; people quote what they show.
            let is_shown = start > 0
                && (header_block::is_forward_line(lines.line(start - 1).trim())
                    || pasted::introduces(lines, start));
            if is_shown {
                return end;
            }
            (end, quote_follows) = (start, true);
            continue;
        }
        if quote_follows && let Some(start) = attribution::ending_at(lines, end) {
            (end, quote_follows) = (start, false);
            continue;
        }
        if device::is_device_line(lines.line(end - 1)) {
            end -= 1;
            continue;
        }
        match signature::ending_at(lines, end) {
            // A signature is not the whole of a mail.
            Some(start) if first.is_some_and(|first| first < start) => end = start,
            _ => return end,
        }
    }
}

/// After an attribution and its quote at the very start, when no other quote follows: the answer
/// stands below, whole.
fn after_leading_quote(lines: &Lines<'_>, end: usize) -> usize {
    let Some(first) = (0..end).find(|&index| !lines.is_blank(index)) else {
        return 0;
    };
    let Some(after) = attribution::starting_at(lines, first, end) else {
        return 0;
    };
    let quote = (after..end).find(|&index| !lines.is_blank(index));
    let Some(quote) = quote.filter(|&index| lines.is_quoted(index)) else {
        return 0;
    };
    let Some(answer) =
        (quote..end).find(|&index| !lines.is_quoted(index) && !lines.is_blank(index))
    else {
        return 0;
    };
    // A line directly below the quote may be the broken end of a quoted line.
    let is_apart = lines.is_blank(answer - 1);
    if is_apart && !(answer..end).any(|index| lines.is_quoted(index)) {
        answer
    } else {
        0
    }
}

#[cfg(test)]
mod corpus;
#[cfg(test)]
mod kept;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[track_caller]
    fn check(text: &str, expected: &str) {
        assert_eq!(reply_text(text), expected);
    }

    #[test]
    fn attributions_in_six_languages() {
        for attribution in [
            "On Mon, Nov 23, 2026 at 10:20 AM Ann B <ann@x.example> wrote:",
            "On Mon, Nov 23, 2026 at 10:20 AM Ann B with a long name\n<ann@x.example> wrote:",
            "On Mon, Nov 23, 2026 at 10:20 AM\nAnn B\n<ann@x.example> wrote:",
            "Am 23.11.26 um 10:20 schrieb Ann B:",
            "Am Mo., 23. Nov. 2026 um 10:20 Uhr schrieb Ann B <\nann@x.example>:",
            "Le lun. 23 nov. 2026 à 10:20, Ann B <ann@x.example> a écrit :",
            "Le 23/11/2026 à 10:20, Ann B a écrit\u{a0}:",
            "El lun, 23 nov 2026 a las 10:20, Ann B (<ann@x.example>)\nescribió:",
            "Em seg., 23 de nov. de 2026 às 10:20, Ann B <ann@x.example>\nescreveu:",
            "Il giorno lun 23 nov 2026 alle ore 10:20 Ann B <ann@x.example> ha scritto:",
        ] {
            let text = format!("My answer\n\n{attribution}\n\n> old\n>> older\n> \n");
            check(&text, "My answer");
        }
    }

    #[test]
    fn outlook_blocks_in_six_languages() {
        for block in [
            "From: Ann <a@x.example>\nSent: Monday, 23 November 2026 10:20\nTo: b\nSubject: x",
            "*From:* Ann\n*Sent:* Monday\n*To:* b\n*Subject:* x",
            "Von: Ann\nGesendet: Montag\nAn: b\nBetreff: x",
            "De : Ann\nEnvoyé : lundi\nÀ : b\nObjet : x",
            "De: Ann\nEnviado el: lunes\nPara: b\nAsunto: x",
            "De: Ann\nEnviada em: segunda\nPara: b\nAssunto: x",
            "Da: Ann\nInviato: lunedì\nA: b\nOggetto: x",
            "-----Original Message-----\nFrom: Ann",
            "-----Ursprüngliche Nachricht-----\nVon: Ann",
            "-----Message d'origine-----",
            "________________________________\nFrom: Ann\nSent: Monday\nTo: b\nSubject: x",
        ] {
            check(&format!("My answer\n\n{block}\n\nold text\n"), "My answer");
        }
    }

    #[test]
    fn signatures_devices_and_the_marker() {
        check("Help\n\n-- \nAnn B\nBank of X", "Help");
        check("Help\n\nSent from my iPhone", "Help");
        check(
            "Help\n\nVon meinem iPhone gesendet\n\nAm 1.2.2026 um 10:00 schrieb B:\n> x",
            "Help",
        );
        check(
            "Help\n-- \nAnn\n\nOn 1 May 2026, at 10:20, B wrote:\n\n> old",
            "Help",
        );
        let marker = "## reply above this line ##";
        check(&format!("Help\n\n{marker}\nold"), "Help");
        check(
            &format!("Help\n\nOn 1 May 2026 at 10:20 B wrote:\n\n> {marker}\n> old"),
            "Help",
        );
        check(
            &format!("Help\n\nOn 1 May 2026 at 10:20 B wrote:\n\n{marker}\nold"),
            "Help",
        );
    }

    #[test]
    fn answers_between_and_below_quotes_stay() {
        let between = "On 1 May 2026, at 10:20, B wrote:\n> one?\nyes\n> two?\nno";
        check(&format!("{between}\n> rest"), between);
        let marker = "Hi\n> ## reply above this line ##\n> question\nanswer";
        check(marker, marker);
        check(
            "On 1 May 2026, at 10:20, B wrote:\n> old\n> old\n\nMy answer",
            "My answer",
        );
        let no_attribution = "> old\n\nMy answer";
        check(no_attribution, no_attribution);
    }

    #[test]
    fn in_doubt_a_line_stays() {
        for text in [
            "On Monday 12 March 2026 our admin wrote:\nthe disk is full",
            "Our notes:\n\nOn 12 March 2026 at 10:20 the monitor wrote:",
            "From: here it goes wrong\nand then?",
            "I saw this --\nand that\n--\nthen the log:\n> x\nend",
            "FYI\n\n---------- Forwarded message ---------\nFrom: A\nDate: Mon\nSubject: s\nTo: b\n\nhelp us",
            "FYI\n\nBegin forwarded message:\n\n> From: A\n> \n> help us",
            "From: A\nSent: Monday\nTo: b\nSubject: x\n\nall of it",
            "Von meinem Rechner aus geht nichts",
            "-- \nonly a signature",
            "Sent from my iPhone",
            "> only a quote",
            "## reply above this line ##\nanswer below",
        ] {
            check(text, text);
        }
        let long = format!("Hi\n--\n{}", "word word\n".repeat(40));
        check(&long, long.trim());
    }

    #[test]
    fn ten_megabytes_of_anything_take_moments() {
        for line in [
            "\n",
            ">\n",
            "--\n",
            "From: a\n",
            "On 2026 ",
            "On 2026 wrote:\n",
            "Sent from my x\n",
        ] {
            let text = line.repeat(2_000_000 / line.len());
            let started = std::time::Instant::now();
            assert!(reply_text(&text).len() <= text.len());
            assert!(
                started.elapsed().as_secs() < 5,
                "{line:?} took {:?}",
                started.elapsed()
            );
        }
    }

    /// What is removed piece by piece must not be measured from the start of the text each time.
    #[test]
    fn nothing_and_then_many_signatures_take_moments() {
        let read = |text: &str| {
            let started = std::time::Instant::now();
            let reply = reply_text(text).to_owned();
            (reply, started.elapsed())
        };
        for nothing in ["\n", " ", "\u{a0}\n"] {
            let text = format!(
                "{}x\n{}",
                nothing.repeat(5_000_000 / nothing.len()),
                "--\n".repeat(1_666_666)
            );
            let (reply, took) = read(&text);
            assert_eq!(reply, "x");
            assert!(took.as_secs() < 5, "{nothing:?} took {took:?}");
        }
    }

    proptest! {
        #[test]
        fn a_piece_of_the_text_and_never_blank(text in "([ >a-]|\n|-- \n|On 2026 x wrote:|From: )*") {
            let reply = reply_text(&text);
            prop_assert!(text.contains(reply));
            prop_assert_eq!(reply.is_empty(), text.trim().is_empty());
        }
    }
}
