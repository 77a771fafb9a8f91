//! The readable text of an HTML body.
//!
//! `html2text` lays a page out and is used for pages that a cheap scan ([`gate`]) finds harmless:
//! a browser's repair rules let a small page grow into millions of nodes. From every other page
//! the tags are removed by [`strip`], which is linear.

mod decorator;
mod gate;
mod strip;

use crate::{fields::guarded, limits};

/// Lines are broken here at the latest: wide enough that a sentence keeps its shape, narrow
/// enough to be read.
const WIDTH: usize = 120;

/// The text of `html` with LF line ends; quoted blocks carry `> `.
pub(crate) fn html_text(html: &str) -> String {
    html_text_within(html, &mut { limits::HTML_BYTES })
}

/// The same for one of a mail's parts: `room` is how many bytes of HTML may still be laid out. From
/// what does not fit only the tags are removed.
pub(crate) fn html_text_within(html: &str, room: &mut usize) -> String {
    let laid_out = match room.checked_sub(html.len()) {
        Some(left) => {
            *room = left;
            laid_out(html)
        }
        None => None,
    };
    laid_out.unwrap_or_else(|| strip::strip(html))
}

fn laid_out(html: &str) -> Option<String> {
    if !gate::is_harmless(html) {
        return None;
    }
    let config = html2text::config::with_decorator(decorator::AsTyped)
        .no_table_borders()
        .no_link_wrapping()
        .link_footnotes(false)
        .allow_width_overflow();
    let text = guarded(|| config.string_from_read(html.as_bytes(), WIDTH))?.ok()?;
    // A page whose text got lost in its layout is worse than one without layout.
    let text = tidy(&text);
    (!text.is_empty() || !has_words(html)).then_some(text)
}

fn has_words(html: &str) -> bool {
    !strip::strip(html).is_empty()
}

/// No white space at line ends, no more than one empty line in a row.
fn tidy(text: &str) -> String {
    let mut tidy = String::with_capacity(text.len());
    let mut empty = 0;
    for line in text.lines().map(str::trim_end) {
        if line.is_empty() {
            empty += 1;
            continue;
        }
        if empty > 0 && !tidy.is_empty() {
            tidy.push('\n');
        }
        empty = 0;
        tidy.push_str(line);
        tidy.push('\n');
    }
    tidy.truncate(tidy.trim_end().len());
    tidy
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_ordinary_page() {
        let text = html_text(
            "<html><head><style>p{}</style></head><body><p>Hello <b>you</b>,</p><p>all&nbsp;broken \
             &amp; gone. <a href=\"https://x.example\">see here</a></p><ul><li>one</li><li>two</li>\
             </ul><div>On Monday Ann wrote:<br><blockquote>old text</blockquote></div></body>",
        );
        insist(
            &text,
            &[
                "Hello you,",
                "all\u{a0}broken & gone.",
                "* one",
                "> old text",
            ],
        );
        assert!(!text.contains("p{}"), "{text}");
    }

    #[test]
    fn a_table_keeps_its_words() {
        let text =
            html_text("<table><tr><td>Disk</td><td>full</td></tr><tr><td>CPU</td></tr></table>");
        insist(&text, &["Disk", "full", "CPU"]);
    }

    #[test]
    fn bombs_keep_their_words() {
        for html in [
            format!("{}words", "<div>".repeat(50_000)),
            format!("{}words", "<table><tr><td>".repeat(20_000)),
            format!("{}words", "<b><i>".repeat(20_000)),
            format!(
                "{}words",
                "<font id=1><font id=2><font id=3><p>".repeat(2_000)
            ),
            format!(
                "<table><tr><td colspan=1000000000>words{}</table>",
                "<td>x".repeat(2_000)
            ),
            format!("<a \"{}words", "<a \"".repeat(100_000)),
            format!("words{}", "&#".repeat(100_000)),
            format!("words{}", "<!--".repeat(100_000)),
        ] {
            insist(&html_text(&html), &["words"]);
        }
    }

    #[test]
    fn all_parts_of_a_mail_share_what_is_laid_out() {
        let html = "<ul><li>one</li></ul>";
        let mut room = 2 * html.len();
        let texts = [(); 3].map(|()| html_text_within(html, &mut room));
        assert_eq!(room, 0);
        assert_eq!(texts[..2], ["* one", "* one"]);
        assert_eq!(texts[2], strip::strip(html));
    }

    /// Pages that grow as far as the gate lets them.
    fn at_the_gate() -> Vec<(&'static str, String)> {
        let deep_tables = "<table><tr><td>".repeat(23);
        [
            (&*deep_tables, "<table><tr><td>x</td></tr></table>"),
            (&deep_tables, "<tr><td>x</td><td>y</td></tr>"),
            (&deep_tables, "words "),
            ("<table><tr>", "<td>x</td>"),
            (
                "<table><tr>",
                "<td>some words and some more words in a cell</td>",
            ),
            ("<table><tr><td>", "words words<td>words <p>words</p>"),
            (
                "<table><tr>",
                "<td colspan=1000000000 rowspan=1000000000>x</td>",
            ),
            (
                "<table>",
                "<tr><td colspan=1000>x</td><td colspan=3>x</td></tr>",
            ),
            ("<font id=1><font id=2><i><b>", "<p>x</p>"),
            ("", "<b id=1><table><tr><td></b></table>x"),
            (&"<blockquote>".repeat(240), "words "),
            (&"<blockquote>".repeat(29), "words "),
            (&"<ol><li>".repeat(29), "words "),
            (&"<div>".repeat(240), "<br>x"),
            (&"<div>".repeat(240), "words "),
            (&"<span>".repeat(240), "words "),
            ("<pre>", "a\n"),
            ("", "x"),
            ("", "ü<wbr>"),
            ("", "&amp;"),
            ("", "<a href=x>y</a> "),
            ("<style>", "p { color: red } "),
            ("<ul>", "<li>x</li>"),
            ("<ul>", "<li>x"),
            (
                "",
                "<p a b c d e f g h i j k l m n o p q r s t u v w x y z>",
            ),
            ("", "x<h1>x</h1>"),
        ]
        .map(|(head, piece)| {
            let mut html = head.to_owned();
            while html.len() + piece.len() <= limits::HTML_BYTES {
                html.push_str(piece);
            }
            let (mut least, mut most) = (0, html.len());
            while most - least > 1_000 {
                let middle = html.floor_char_boundary(usize::midpoint(least, most));
                *(if gate::is_harmless(&html[..middle]) {
                    &mut least
                } else {
                    &mut most
                }) = middle;
            }
            html.truncate(least);
            (piece, html)
        })
        .into()
    }

    #[test]
    fn the_gate_stops_before_it_hurts() {
        for (piece, html) in at_the_gate() {
            let started = std::time::Instant::now();
            html_text(&html);
            let took = started.elapsed();
            // An unoptimised build is some twenty times slower than what is promised.
            assert!(
                took.as_secs() < 20,
                "{piece:?}: {} bytes took {took:?}",
                html.len()
            );
        }
    }

    #[test]
    #[ignore = "measures: cargo test --release -- --ignored --nocapture --test-threads 1"]
    #[expect(clippy::print_stderr, reason = "the figures are what this test is for")]
    fn cost_at_the_gate() {
        for (piece, html) in at_the_gate() {
            std::fs::write("/proc/self/clear_refs", "5").ok();
            let started = std::time::Instant::now();
            html_text(&html);
            let took = started.elapsed();
            let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
            let peak = status
                .lines()
                .find(|line| line.starts_with("VmHWM"))
                .unwrap_or_default();
            eprintln!("{piece:40.40} {:>8} bytes {took:>12.3?} {peak}", html.len());
        }
    }

    fn insist(text: &str, wanted: &[&str]) {
        for wanted in wanted {
            assert!(text.contains(wanted), "{wanted} is missing in:\n{text}");
        }
    }
}
