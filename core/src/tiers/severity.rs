//! How bad it is, and how soon it is looked at.

use std::ops::{Index, IndexMut};

use crate::named::named_enum;

named_enum! {
    /// How bad it is for the customer. Orders from worst to mildest.
    pub enum Severity as "severity" {
        /// Business-critical, or production is down.
        Sev1 = "sev1",
        /// Production is impaired.
        Sev2 = "sev2",
        /// A system is impaired.
        Sev3 = "sev3",
        /// A question.
        Sev4 = "sev4",
    }
}

named_enum! {
    /// Where a ticket stands in the queue: its severity as its tier weighs it. Orders from first
    /// to last.
    pub enum Priority as "priority" {
        /// First.
        P1 = "p1",
        /// Second.
        P2 = "p2",
        /// Third.
        P3 = "p3",
        /// Last.
        P4 = "p4",
    }
}

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
