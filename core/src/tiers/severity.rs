//! How bad it is, and how soon it is looked at.

use std::{
    fmt,
    ops::{Index, IndexMut},
    str::FromStr,
};

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A text that is none of the words it should be.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{text:?} is not a {kind}; it is one of {words}")]
pub struct UnknownWord {
    kind: &'static str,
    words: String,
    text: String,
}

/// Gives an enum its words: `as_str`, Display, FromStr and serde by the same text.
macro_rules! words {
    ($type:ident, $kind:literal, $($variant:ident = $word:literal),+ $(,)?) => {
        impl $type {
            /// All of them, in order.
            pub const ALL: [Self; [$($word),+].len()] = [$(Self::$variant),+];

            /// The word, as it is stored, shown and read.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $word),+ }
            }
        }

        impl fmt::Display for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(self.as_str())
            }
        }

        impl FromStr for $type {
            type Err = UnknownWord;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                match text {
                    $($word => Ok(Self::$variant),)+
                    _ => Err(UnknownWord::new($kind, &[$($word),+], text)),
                }
            }
        }

        impl Serialize for $type {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.as_str())
            }
        }

        impl<'de> Deserialize<'de> for $type {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
                text.parse().map_err(serde::de::Error::custom)
            }
        }
    };
}
pub(super) use words;

impl UnknownWord {
    pub(super) fn new(kind: &'static str, words: &[&str], text: &str) -> Self {
        Self {
            kind,
            words: words.join(", "),
            text: text.to_owned(),
        }
    }
}

/// How bad it is for the customer. Orders from worst to mildest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Severity {
    /// Business-critical, or production is down.
    Sev1,
    /// Production is impaired.
    Sev2,
    /// A system is impaired.
    Sev3,
    /// A question.
    Sev4,
}

words!(
    Severity,
    "severity",
    Sev1 = "sev1",
    Sev2 = "sev2",
    Sev3 = "sev3",
    Sev4 = "sev4"
);

impl Severity {
    const fn index(self) -> usize {
        match self {
            Self::Sev1 => 0,
            Self::Sev2 => 1,
            Self::Sev3 => 2,
            Self::Sev4 => 3,
        }
    }
}

/// Where a ticket stands in the queue: its severity as its tier weighs it. Orders from first to
/// last.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Priority {
    /// First.
    P1,
    /// Second.
    P2,
    /// Third.
    P3,
    /// Last.
    P4,
}

words!(
    Priority,
    "priority",
    P1 = "p1",
    P2 = "p2",
    P3 = "p3",
    P4 = "p4"
);

/// One value for each severity.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PerSeverity<T>([T; 4]);

impl<T> PerSeverity<T> {
    /// Asks `make` for each severity, from sev1 to sev4.
    pub fn new(make: impl FnMut(Severity) -> T) -> Self {
        Self(Severity::ALL.map(make))
    }

    /// The severities with their values, from sev1 to sev4.
    pub fn iter(&self) -> impl Iterator<Item = (Severity, &T)> {
        Severity::ALL.into_iter().zip(&self.0)
    }
}

impl<T> PerSeverity<Option<T>> {
    /// All values, if none is missing.
    pub(super) fn complete(self) -> Option<PerSeverity<T>> {
        let [one, two, three, four] = self.0;
        Some(PerSeverity([one?, two?, three?, four?]))
    }
}

impl<T> Index<Severity> for PerSeverity<T> {
    type Output = T;

    fn index(&self, severity: Severity) -> &T {
        &self.0[severity.index()]
    }
}

impl<T> IndexMut<Severity> for PerSeverity<T> {
    fn index_mut(&mut self, severity: Severity) -> &mut T {
        &mut self.0[severity.index()]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_read_back_in_every_form() {
        for severity in Severity::ALL {
            assert_eq!(severity.as_str().parse(), Ok(severity));
            let json = serde_json::to_string(&severity).unwrap();
            assert_eq!(json, format!("\"{severity}\""));
            assert_eq!(serde_json::from_str::<Severity>(&json).unwrap(), severity);
        }
        assert!(Severity::Sev1 < Severity::Sev4 && Priority::P1 < Priority::P2);
        let error = "SEV1".parse::<Severity>().unwrap_err().to_string();
        assert_eq!(
            error,
            "\"SEV1\" is not a severity; it is one of sev1, sev2, sev3, sev4"
        );
        assert!("p5".parse::<Priority>().is_err());
    }
}
