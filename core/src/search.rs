//! What people look for: the words and filters of a search, read from one line.
//!
//! `tier:fintech status:open from:john older:3d "access denied" cert* -invoice`. No text breaks
//! the reader: what is no filter is words, and a filter with a value that cannot be is refused
//! with what would do. Words are folded by [`words`], which stored text passes too, so both
//! databases compare the same terms.
//!
//! To add a filter: a variant of [`filter::Filter`] with its name, its reading and its printing,
//! the condition in core/src/store/search/criteria.rs, a line in docs/search.md.

pub mod document;
pub mod excerpt;
pub mod filter;
#[cfg(test)]
mod tests;
pub mod words;

use std::fmt;

use crate::refusal::Refusal;
use filter::Filter;

/// More parts than anybody writes, and few enough to be looked for at once.
const MOST_PARTS: usize = 40;
/// The longest phrase.
const MOST_TERMS: usize = 60;

/// Where words must stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Field {
    /// Anywhere in what is indexed.
    Any,
    /// In the name or address of whoever wrote.
    From,
    /// In the addresses it was written to.
    To,
}

/// Terms that follow one another; a single word is a phrase of one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Words {
    /// Where.
    pub field: Field,
    /// Folded; never empty.
    pub terms: Vec<String>,
    /// The last term is only a beginning.
    pub is_prefix: bool,
}

/// One demand.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Demand {
    /// Words that must stand somewhere.
    Words(Words),
    /// What must hold of the ticket.
    Filter(Filter),
}

/// A demand, or that it be not so.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Part {
    /// Whether it must not be so.
    pub is_negated: bool,
    /// What.
    pub demand: Demand,
}

/// A search as it was understood. All parts must hold.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Query {
    /// In the order given.
    pub parts: Vec<Part>,
}

impl Query {
    /// Reads what somebody wrote. Refuses a known filter with a value that cannot be, and more
    /// parts than can be looked for at once.
    pub fn parse(text: &str) -> Result<Self, Refusal> {
        let mut parts = Vec::new();
        for token in Tokens::new(text) {
            let Some(demand) = demand(&token)? else {
                continue;
            };
            if parts.len() == MOST_PARTS {
                let message = format!("a search has at most {MOST_PARTS} words and filters");
                return Err(Refusal::invalid(message).with_hint("leave the common words out"));
            }
            let is_negated = token.is_negated;
            parts.push(Part { is_negated, demand });
        }
        Ok(Self { parts })
    }

    /// Asks for tickets that the filter does not fit.
    pub fn leave_out(&mut self, filter: Filter) {
        self.parts.push(Part {
            demand: Demand::Filter(filter),
            is_negated: true,
        });
    }

    /// The words that must stand somewhere, or nowhere.
    pub fn words(&self, is_negated: bool) -> impl Iterator<Item = &Words> {
        let of_kind = move |part: &&Part| part.is_negated == is_negated;
        self.parts
            .iter()
            .filter(of_kind)
            .filter_map(|part| match &part.demand {
                Demand::Words(words) => Some(words),
                Demand::Filter(_) => None,
            })
    }

    /// The filters, with whether each is negated.
    pub fn filters(&self) -> impl Iterator<Item = (&Filter, bool)> {
        self.parts.iter().filter_map(|part| match &part.demand {
            Demand::Filter(filter) => Some((filter, part.is_negated)),
            Demand::Words(_) => None,
        })
    }
}

/// A piece of the line between blanks, quotes kept together.
struct Token<'t> {
    is_negated: bool,
    /// Before the first colon outside quotes, where that could name a filter.
    name: Option<&'t str>,
    /// What follows, without its quotes.
    value: String,
    /// All of it, without the sign.
    whole: &'t str,
    /// A star stands at its end, outside quotes.
    is_prefix: bool,
    /// Where it begins, in characters from 1.
    at: usize,
}

struct Tokens<'t> {
    text: &'t str,
    at: usize,
}

impl<'t> Tokens<'t> {
    fn new(text: &'t str) -> Self {
        Self { text, at: 0 }
    }
}

impl<'t> Iterator for Tokens<'t> {
    type Item = Token<'t>;

    fn next(&mut self) -> Option<Token<'t>> {
        let rest = &self.text[self.at..];
        let begin = self.at + rest.find(|c: char| !is_blank(c))?;
        let (mut is_quoted, mut end) = (false, self.text.len());
        for (offset, character) in self.text[begin..].char_indices() {
            match character {
                '"' => is_quoted = !is_quoted,
                _ if is_blank(character) && !is_quoted => {
                    end = begin + offset;
                    break;
                }
                _ => {}
            }
        }
        self.at = end;
        let token = &self.text[begin..end];
        let whole = token.strip_prefix('-').unwrap_or(token);
        let (name, value) = match whole.split_once(':') {
            Some((name, value)) if !name.contains('"') && !value.is_empty() => (Some(name), value),
            _ => (None, whole),
        };
        Some(Token {
            is_negated: whole.len() < token.len(),
            name,
            value: plain(value),
            whole,
            is_prefix: !is_quoted && whole.ends_with('*'),
            at: self.text[..begin].chars().count() + 1,
        })
    }
}

/// Without quotes and without what no database keeps.
fn plain(value: &str) -> String {
    let is_out = |c: char| c == '"' || c.is_control();
    value.replace(is_out, " ").trim().to_owned()
}

fn is_blank(character: char) -> bool {
    character.is_whitespace() || character.is_control()
}

fn demand(token: &Token<'_>) -> Result<Option<Demand>, Refusal> {
    let named = token.name.map(str::to_ascii_lowercase);
    match named.as_deref() {
        Some("from") => field(token, Field::From).map(Some),
        Some("to") => field(token, Field::To).map(Some),
        Some(name) if filter::NAMES.contains(&name) => {
            let read = Filter::read(name, &token.value);
            let read = read.map_err(|allowed| refused(token, name, &allowed))?;
            Ok(Some(Demand::Filter(read)))
        }
        _ => Ok(words_of(token.whole, token.is_prefix, Field::Any)?.map(Demand::Words)),
    }
}

fn field(token: &Token<'_>, field: Field) -> Result<Demand, Refusal> {
    let name = if field == Field::From { "from" } else { "to" };
    let words = words_of(&token.value, token.is_prefix, field)?;
    let words = words.ok_or_else(|| refused(token, name, "a name or an address"))?;
    Ok(Demand::Words(words))
}

fn refused(token: &Token<'_>, name: &str, allowed: &str) -> Refusal {
    let Token { value, at, .. } = token;
    let message = format!("{name}:{value} (at character {at}) is no filter");
    Refusal::invalid(message).with_hint(format!("{name}: takes {allowed}"))
}

fn words_of(text: &str, is_prefix: bool, field: Field) -> Result<Option<Words>, Refusal> {
    let mut terms = Vec::new();
    words::each_term(text, |term, _| terms.push(term.to_owned()));
    if terms.len() > MOST_TERMS {
        let message = format!("a phrase has at most {MOST_TERMS} words");
        return Err(Refusal::invalid(message).with_hint("a part of it will find it"));
    }
    let has_any = !terms.is_empty();
    Ok(has_any.then_some(Words {
        field,
        terms,
        is_prefix,
    }))
}

impl fmt::Display for Words {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.field {
            Field::Any => "",
            Field::From => "from:",
            Field::To => "to:",
        })?;
        match self.terms.as_slice() {
            [term] => f.write_str(term)?,
            terms => write!(f, "\"{}\"", terms.join(" "))?,
        }
        f.write_str(if self.is_prefix { "*" } else { "" })
    }
}

impl fmt::Display for Query {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (place, part) in self.parts.iter().enumerate() {
            f.write_str(if place > 0 { " " } else { "" })?;
            f.write_str(if part.is_negated { "-" } else { "" })?;
            match &part.demand {
                Demand::Words(words) => words.fmt(f)?,
                Demand::Filter(filter) => filter.fmt(f)?,
            }
        }
        Ok(())
    }
}
