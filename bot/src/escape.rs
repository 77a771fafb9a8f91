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
    text.replace("\\://", "\\:\u{2060}//")
        .replace("discord.gg", "discord\u{2060}.gg")
        .replace("discord.com", "discord\u{2060}.com")
        .replace("discordapp.com", "discordapp\u{2060}.com")
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
            ("a\u{202e}b\u{200b}c\u{7}", "abc"),
            ("# big\n> quote", "\\# big\n\\> quote"),
        ] {
            assert_eq!(text(hostile), shown, "{hostile}");
        }
    }

    #[test]
    fn text_is_cut_before_it_is_escaped() {
        assert_eq!(line("a  b\n c", 10), "a b c");
        assert_eq!(cut("äöü", 3), "äöü");
        assert_eq!(cut("äöüß", 3), "äö…");
        assert_eq!(plain("SB-1\u{202e} x\ny", 100), "SB-1 x y");
    }
}
