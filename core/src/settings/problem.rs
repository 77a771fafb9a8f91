//! What is wrong with a configuration text, said so that it can be put right: where it stands,
//! which key, what is wrong and what to write instead.

use std::fmt;

/// Where a value stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// In a file.
    File {
        /// The file's name as it was given.
        file: String,
        /// Counted from 1.
        line: usize,
        /// Counted from 1 in characters; only a syntax error has it.
        column: Option<usize>,
    },
    /// In the environment.
    Variable(String),
}

impl Place {
    /// A line of a file.
    pub(crate) fn line(file: &str, line: usize) -> Self {
        Self::File {
            file: file.to_owned(),
            line,
            column: None,
        }
    }

    /// Variables are one layer, the file another.
    pub(crate) fn is_variable(&self) -> bool {
        matches!(self, Self::Variable(_))
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File {
                file,
                line,
                column: None,
            } => write!(f, "{file}, line {line}"),
            Self::File {
                file,
                line,
                column: Some(column),
            } => {
                write!(f, "{file}, line {line}, column {column}")
            }
            Self::Variable(name) => write!(f, "environment variable {name}"),
        }
    }
}

/// One thing to put right. No field ever holds the value of a secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// Where the value stands.
    pub place: Place,
    /// The dotted key, `mail.imap[0].url`; empty when the text is no TOML at all.
    pub key: String,
    /// What is wrong, a clause without a full stop.
    pub what: String,
    /// What to do, a sentence.
    pub remedy: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: ", self.place)?;
        if !self.key.is_empty() {
            write!(f, "{} ", self.key)?;
        }
        write!(f, "{}. {}", self.what, self.remedy)
    }
}

/// What a parser found wrong with one value; the reader adds the place and the key.
#[derive(Debug)]
pub(crate) struct Wrong {
    /// Follows the key in a sentence: `is empty`.
    pub(crate) what: String,
    /// What to do, a sentence.
    pub(crate) remedy: String,
}

impl Wrong {
    pub(crate) fn new(what: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self {
            what: what.into(),
            remedy: remedy.into(),
        }
    }
}

/// Several problems under a headline, one a line.
pub(crate) fn write_list(
    f: &mut fmt::Formatter<'_>,
    subject: &str,
    problems: &[Problem],
) -> fmt::Result {
    let noun = if problems.len() == 1 {
        "problem"
    } else {
        "problems"
    };
    write!(f, "{subject} has {} {noun}:", problems.len())?;
    problems
        .iter()
        .try_for_each(|problem| write!(f, "\n  {problem}"))
}

/// The known name that a mistyped one most likely meant.
pub(crate) fn nearest<'k>(name: &str, known: impl Iterator<Item = &'k str>) -> Option<&'k str> {
    let tolerated = (name.chars().count() / 3).max(2);
    known
        .map(|candidate| (strsim::damerau_levenshtein(name, candidate), candidate))
        .filter(|(distance, _)| *distance <= tolerated)
        .min()
        .map(|(_, candidate)| candidate)
}
