//! Words to look for, which may begin with a hyphen.

use std::ffi::OsString;

use clap::Args as ClapArgs;
use tierdesk_core::store::search::Sort;

pub(crate) const EXAMPLES: &str = "All words and filters must hold; the words may stand in different messages of a ticket.
  \"access denied\"   these words in this order          cert*      words that begin so
  -invoice          not this word; - before a filter too
  tier: status: severity: priority: customer: assignee:(NAME|me|nobody) tag: number:
  from: to:         names and addresses of messages     is:(open|closed|unassigned|snoozed|provisional|triage)
  has:attachment    older:3d newer:2w before:2026-11-28 after:2026-11-01, by when the ticket was opened
Examples:
  tierdesk ticket search tier:fintech status:open from:john older:3d certificate
  tierdesk ticket search --sort newest '\"access denied\"' -invoice";

#[derive(ClapArgs, Debug)]
pub(crate) struct SearchTickets {
    /// What to look for.
    #[arg(required = true)]
    pub(crate) words: Vec<OsString>,
    /// relevance, newest or queue.
    #[arg(long, default_value = "relevance", value_name = "ORDER")]
    pub(crate) sort: Sort,
    /// At most so many.
    #[arg(long, default_value_t = 20)]
    pub(crate) limit: usize,
}

/// The options that keep their meaning wherever they stand, with whether a value follows.
const OPTIONS: [(&str, bool); 7] = [
    ("--json", false),
    ("--help", false),
    ("-h", false),
    ("--sort", true),
    ("--limit", true),
    ("--config", true),
    ("--database", true),
];

/// The command line with the words of `ticket search` behind a `--`, so that `-invoice` is a word
/// there and `--json` is none, in any order. Any other command line stays as it is.
pub(crate) fn arranged(line: Vec<OsString>) -> Vec<OsString> {
    let is_search = |pair: &[OsString]| pair[0] == "ticket" && pair[1] == "search";
    let Some(at) = line.windows(2).position(is_search) else {
        return line;
    };
    let mut rest = line[at + 2..].iter().cloned();
    let (mut arranged, mut words) = (line[..at + 2].to_vec(), Vec::new());
    while let Some(word) = rest.next() {
        if word == "--" {
            words.extend(rest);
            break;
        }
        let text = word.to_string_lossy();
        let name = text.split('=').next().unwrap_or_default();
        let option = OPTIONS.iter().find(|(option, _)| *option == name);
        let takes_next = option.is_some_and(|(_, has_value)| *has_value) && !text.contains('=');
        if option.is_some() {
            arranged.push(word);
            arranged.extend(rest.by_ref().take(usize::from(takes_next)));
        } else {
            words.push(word);
        }
    }
    if !words.is_empty() {
        arranged.push("--".into());
        arranged.extend(words);
    }
    arranged
}

#[cfg(test)]
mod tests {
    use std::ffi::OsString;

    use super::arranged;

    fn line(text: &str) -> String {
        let words = text.split(' ').map(Into::into).collect();
        let words: Vec<_> = arranged(words)
            .into_iter()
            .map(OsString::into_string)
            .collect();
        words
            .into_iter()
            .map(|word| word.expect("it is text"))
            .collect::<Vec<_>>()
            .join(" ")
    }

    #[test]
    fn words_with_a_hyphen_are_words_and_options_are_options() {
        for (given, arranged) in [
            (
                "t ticket search a -b --json",
                "t ticket search --json -- a -b",
            ),
            (
                "t --json ticket search -b --limit 3 c",
                "t --json ticket search --limit 3 -- -b c",
            ),
            (
                "t ticket search --sort=newest --x",
                "t ticket search --sort=newest -- --x",
            ),
            ("t ticket search a -- --json", "t ticket search -- a --json"),
            ("t ticket search --help", "t ticket search --help"),
            ("t ticket search a --limit", "t ticket search --limit -- a"),
            ("t ticket list --status open", "t ticket list --status open"),
        ] {
            assert_eq!(line(given), arranged, "{given}");
        }
    }
}
