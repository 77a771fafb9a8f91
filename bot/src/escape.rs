//! Text of customers and colleagues, made so that Discord shows it and does nothing with it: no
//! pings, no links that can be clicked, no formatting, nothing invisible and nothing that turns
//! the direction of writing.

/// Characters that begin formatting, mentions, links or headings.
const ACTIVE: &[char] = &[
    '\\', '*', '_', '~', '|', '>', '#', '-', '[', ']', '(', ')', '<', '`', '@', ':',
];

/// Characters that are not seen, or change how others are.
fn is_invisible(character: char) -> bool {
    (character.is_control() && character != '\n')
        || matches!(
            character,
            '\u{00ad}' | '\u{034f}' | '\u{061c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}'
            | '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{3164}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}'
            | '\u{ffa0}' | '\u{fff0}'..='\u{fffb}' | '\u{e0000}'..='\u{e0fff}'
        )
}

/// Makes text harmless. Line breaks stay.
pub fn text(text: &str) -> String {
    let mut safe = String::with_capacity(text.len() + text.len() / 8);
    for character in text.chars().filter(|c| !is_invisible(*c)) {
        if ACTIVE.contains(&character) {
            safe.push('\\');
        }
        safe.push(character);
        // `\@everyone` still pings where mentions are parsed, and a bare name of a host becomes a
        // link; a word joiner of our own keeps both apart.
        if matches!(character, '@') {
            safe.push('\u{2060}');
        }
    }
    unlink(&safe)
}

/// Breaks what Discord would turn into a link or an invitation, whatever the scheme.
fn unlink(text: &str) -> String {
    const HOSTS: [&str; 3] = ["discord.gg", "discord.com", "discordapp.com"];
    let text = text.replace("\\://", "\\:\u{2060}//");
    // Letters A to Z alone change length nowhere, so that places stay the same.
    let folded = text.to_ascii_lowercase();
    let mut dots: Vec<usize> = HOSTS
        .iter()
        .flat_map(|host| folded.match_indices(host))
        .filter_map(|(at, host)| Some(at + host.find('.')?))
        .collect();
    dots.sort_unstable();
    let mut broken = text;
    for at in dots.into_iter().rev() {
        broken.insert(at, '\u{2060}');
    }
    broken
}

/// The same as [`text`], cut so that what is sent has at most `limit` characters: escaping
/// lengthens, up to threefold.
pub fn text_within(shown: &str, limit: usize) -> String {
    let mut kept = limit;
    loop {
        let safe = text(&cut(shown, kept));
        let length = safe.chars().count();
        if length <= limit {
            return safe;
        }
        kept = kept.saturating_sub((length - limit).div_ceil(3).max(1));
    }
}

/// The same as [`text_within`], on one line.
pub fn line_within(shown: &str, limit: usize) -> String {
    text_within(
        &shown.split_whitespace().collect::<Vec<_>>().join(" "),
        limit,
    )
}

/// The same on one line, cut to `limit` characters of what is shown.
pub fn line(shown: &str, limit: usize) -> String {
    text(&cut(
        &shown.split_whitespace().collect::<Vec<_>>().join(" "),
        limit,
    ))
}

/// Plain text for places without formatting, such as names of threads and choices of a menu: one
/// line, nothing invisible, at most `limit` characters.
pub fn plain(shown: &str, limit: usize) -> String {
    let visible: String = shown.chars().filter(|c| !is_invisible(*c)).collect();
    cut(
        &visible.split_whitespace().collect::<Vec<_>>().join(" "),
        limit,
    )
}

/// At most `limit` characters; cut text ends in an ellipsis.
pub fn cut(text: &str, limit: usize) -> String {
    if text.char_indices().nth(limit).is_none() {
        return text.to_owned();
    }
    let kept: String = text.chars().take(limit.saturating_sub(1)).collect();
    format!("{}…", kept.trim_end())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_that_acts_stays_active() {
        for (hostile, shown) in [
            ("@everyone", "\\@\u{2060}everyone"),
            ("<@&123>", "\\<\\@\u{2060}&123\\>"),
            ("**bold** `code`", "\\*\\*bold\\*\\* \\`code\\`"),
            (
                "[pay](https://evil.example)",
                "\\[pay\\]\\(https\\:\u{2060}//evil.example\\)",
            ),
            ("discord.gg/abc", "discord\u{2060}.gg/abc"),
            (
                "Discord.GG/x DISCORD.com",
                "Discord\u{2060}.GG/x DISCORD\u{2060}.com",
            ),
            ("a\u{202e}b\u{200b}c\u{7}", "abc"),
            ("# big\n> quote", "\\# big\n\\> quote"),
        ] {
            assert_eq!(text(hostile), shown, "{hostile}");
        }
    }

    #[test]
    fn what_is_sent_keeps_its_length_whatever_is_written() {
        for shown in [
            "@",
            "*@",
            "discord.gg ",
            "https://",
            "a",
            "ü\u{200b}",
            "@\n",
        ] {
            for (length, limit) in [(0, 5), (3, 5), (100, 256), (5_000, 256), (5_000, 2_048)] {
                let hostile = shown.repeat(length);
                for sent in [text_within(&hostile, limit), line_within(&hostile, limit)] {
                    assert!(sent.chars().count() <= limit, "{shown:?} x {length}");
                    assert!(length == 0 || !sent.is_empty(), "{shown:?} x {length}");
                }
            }
        }
        assert_eq!(text_within("short @", 20), text("short @"));
    }

    #[test]
    fn text_is_cut_before_it_is_escaped() {
        assert_eq!(line("a  b\n c", 10), "a b c");
        assert_eq!(cut("äöü", 3), "äöü");
        assert_eq!(cut("äöüß", 3), "äö…");
        assert_eq!(plain("SB-1\u{202e} x\ny", 100), "SB-1 x y");
    }
}
