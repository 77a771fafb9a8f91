//! Macros: answers that are written often, with variables. They live in one file, checked as a whole when
//! the program starts; their texts are templates, filled by whoever writes letters ([`crate::outgoing`]).

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::{
    tickets::tag,
    tiers::{Catalogue, TierSlug},
};

/// Where a ticket goes with a macro.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Step {
    /// It is the customer's turn.
    #[default]
    Waiting,
    /// It stays ours.
    Open,
    /// It is done.
    Resolve,
}

/// One macro.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Macro {
    /// How it is asked for: lower-case letters, digits and hyphens.
    pub name: String,
    /// What it is for, in a line.
    pub title: String,
    /// Markdown with variables.
    pub text: String,
    /// Where the ticket goes.
    #[serde(default)]
    pub then: Step,
    /// Tags that the ticket gets.
    #[serde(default)]
    pub tags: Vec<String>,
    /// Tiers on whose tickets it may be used; all where there are none.
    #[serde(default)]
    pub tiers: Vec<TierSlug>,
    /// What else the text needs, with a default; an empty one must be given.
    #[serde(default)]
    pub variables: BTreeMap<String, String>,
    /// It asks for nothing, and holds nothing of a ticket or customer but variables: chat may show it.
    #[serde(default)]
    pub fixed: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default, rename = "macro")]
    macros: Vec<Macro>,
}

/// All macros of a desk, in the order of the file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Macros(Vec<Macro>);

/// Everything that is wrong with a file of macros.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{origin}: {}", .faults.join("; "))]
pub struct MacrosError {
    /// The file.
    pub origin: String,
    /// What is wrong, never nothing.
    pub faults: Vec<String>,
}

/// A fixed reply is shown as a whole before it is sent, in a message of Discord's.
const LONGEST_FIXED: usize = 700;

/// Variables that every text may use.
pub const KNOWN_VARIABLES: &[&str] = &[
    "number",
    "name",
    "customer",
    "tier",
    "severity",
    "author",
    "response_due",
];

impl Macros {
    /// config/macros.toml as it was when the program was built.
    pub const EMBEDDED: &str = include_str!("../../config/macros.toml");

    /// The built-in ones.
    ///
    /// # Panics
    ///
    /// Not in a program that passed its tests: one of them reads the same text.
    pub fn embedded() -> Self {
        Self::parse(Self::EMBEDDED, "config/macros.toml", &Catalogue::embedded())
            .expect("a test reads the built-in file")
    }

    /// Reads a file of macros; `origin` is its name for the errors.
    pub fn parse(text: &str, origin: &str, catalogue: &Catalogue) -> Result<Self, MacrosError> {
        let wrong = |faults| MacrosError {
            origin: origin.to_owned(),
            faults,
        };
        let file: File = toml::from_str(text)
            .map_err(|fault| wrong(vec![fault.to_string().trim().to_owned()]))?;
        let mut faults = Vec::new();
        let mut names = BTreeSet::new();
        for one in &file.macros {
            let mut fault = |what: String| faults.push(format!("macro {:?}: {what}", one.name));
            if one.name.parse::<TierSlug>().is_err() {
                fault("a name has lower-case letters, digits and hyphens".to_owned());
            }
            if !names.insert(&one.name) {
                fault("there are two of this name".to_owned());
            }
            if one.title.trim().is_empty() || one.text.trim().is_empty() {
                fault("it needs a title and a text".to_owned());
            }
            if one.fixed && one.text.chars().count() > LONGEST_FIXED {
                fault(format!(
                    "a fixed reply is shown in chat before it is sent: at most {LONGEST_FIXED} characters"
                ));
            }
            for tag in &one.tags {
                if tag::parse(tag).as_ref() != Some(tag) {
                    fault(format!(
                        "{tag:?} is no tag: lower-case letters, digits and hyphens"
                    ));
                }
            }
            for tier in &one.tiers {
                if catalogue.get(tier.as_str()).is_none() {
                    fault(format!("there is no tier {tier}"));
                }
            }
            for name in one.variables.keys() {
                if KNOWN_VARIABLES.contains(&name.as_str()) {
                    fault(format!("{name} is known already and cannot be given"));
                }
            }
            if one.fixed
                && one
                    .variables
                    .values()
                    .any(|default| default.trim().is_empty())
            {
                fault("one that asks for something is not fixed".to_owned());
            }
        }
        if faults.is_empty() {
            Ok(Self(file.macros))
        } else {
            Err(wrong(faults))
        }
    }

    /// All of them.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &Macro> {
        self.0.iter()
    }

    /// Those that may be picked where nothing is typed, on a ticket of this tier.
    pub fn fixed_for<'m>(&'m self, tier: Option<&'m TierSlug>) -> impl Iterator<Item = &'m Macro> {
        self.iter().filter(move |one| one.fixed && one.fits(tier))
    }

    /// The one of this name.
    pub fn get(&self, name: &str) -> Option<&Macro> {
        self.0.iter().find(|one| one.name == name)
    }
}

impl Macro {
    /// Whether it may be used on a ticket of this tier.
    pub fn fits(&self, tier: Option<&TierSlug>) -> bool {
        self.tiers.is_empty() || tier.is_some_and(|tier| self.tiers.contains(tier))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn faults(text: &str) -> Vec<String> {
        match Macros::parse(text, "macros.toml", &Catalogue::embedded()) {
            Ok(found) => panic!("it is right: {found:?}"),
            Err(error) => error.faults,
        }
    }

    #[test]
    fn the_built_in_file_is_right() {
        assert!(Macros::embedded().iter().len() >= 5);
    }

    #[test]
    fn every_mistake_is_told_at_once() {
        let text = r#"
            [[macro]]
            name = "One Two"
            title = ""
            text = "x"
            tiers = ["gold"]
            tags = ["Two words"]
            [[macro]]
            name = "one"
            title = "t"
            text = "x"
            fixed = true
            variables = { number = "", date = " " }
            [[macro]]
            name = "one"
            title = "t"
            text = "x"
            [[macro]]
            name = "long"
            title = "t"
            text = "LONG"
            fixed = true
        "#;
        let text = text.replace("LONG", &"x".repeat(701));
        let found = faults(&text).join("\n");
        for wanted in [
            "hyphens",
            "a title and a text",
            "no tier gold",
            "is no tag",
            "number is known",
            "not fixed",
            "two of this name",
            "at most 700 characters",
        ] {
            assert!(found.contains(wanted), "{wanted}: {found}");
        }
        assert!(faults("[[macro]]\nname = 1")[0].contains("name"));
        assert!(
            faults("[[macro]]\nname='a'\ntitle='t'\ntext='x'\ncolour='red'")[0].contains("colour")
        );
    }

    #[test]
    fn one_for_some_tiers_fits_no_other() {
        let text = "[[macro]]\nname='a'\ntitle='t'\ntext='x'\ntiers=['fintech']";
        let all = Macros::parse(text, "macros.toml", &Catalogue::embedded()).expect("it is right");
        let tier = |slug: &str| slug.parse::<TierSlug>().expect("it is a slug");
        let one = all.get("a").expect("it is there");
        assert!(one.fits(Some(&tier("fintech"))));
        assert!(!one.fits(Some(&tier("standard"))) && !one.fits(None));
    }

    #[test]
    fn only_fixed_ones_that_fit_are_picked_without_typing() {
        let text = "[[macro]]\nname='a'\ntitle='t'\ntext='x'\nfixed=true
            [[macro]]\nname='b'\ntitle='t'\ntext='x'\nfixed=true\ntiers=['fintech']
            [[macro]]\nname='c'\ntitle='t'\ntext='x'";
        let all = Macros::parse(text, "macros.toml", &Catalogue::embedded()).expect("it is right");
        let names = |tier: Option<&str>| {
            let tier: Option<TierSlug> = tier.map(|slug| slug.parse().expect("it is a slug"));
            let fixed = all.fixed_for(tier.as_ref());
            fixed.map(|one| one.name.clone()).collect::<Vec<_>>()
        };
        assert_eq!(names(Some("fintech")), ["a", "b"]);
        assert_eq!(names(Some("standard")), ["a"]);
        assert_eq!(names(None), ["a"]);
    }
}
