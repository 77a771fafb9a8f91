//! The catalogue's text, key by key.

use std::{fmt::Display, str::FromStr};

use super::{Catalogue, Goal, Money, OnCall, PerSeverity, Severity, Target, Targets, Tier, check};
use crate::{
    settings::{
        Place, Problem, Wrong,
        reader::{Notes, Section},
        tree,
    },
    staff::Attribute,
};

/// A tier with the places to point at when it does not fit the others.
pub(super) struct Read<'a> {
    pub(super) tier: Tier,
    pub(super) section: Section<'a>,
}

/// More people than this would have to agree only by mistake.
const MOST_APPROVALS: u32 = 5;

/// The most that a price can be: forty million dollars a month.
const MOST_CENTS: u32 = 4_000_000_000;

pub(super) fn catalogue(text: &str, origin: &str) -> Result<Catalogue, Vec<Problem>> {
    let table = tree::parse(origin, text).map_err(|problem| vec![problem])?;
    let notes = Notes::default();
    let root = Section::root(&notes, &table, Place::line(origin, 1));
    let default_severity = word(&root, "default_severity");
    let sections = root.sections("tier");
    if sections.is_empty() {
        root.missing("tier", "Write at least one [[tier]].");
    }
    root.finish();
    let mut tiers: Vec<Read<'_>> = sections.into_iter().filter_map(tier).collect();
    check::across(&tiers);
    tiers.sort_by_key(|read| read.tier.rank);
    let tiers = tiers.into_iter().map(|read| read.tier).collect();
    match (default_severity, notes.into_problems()) {
        (Some(default_severity), problems) if problems.is_empty() => Ok(Catalogue {
            tiers,
            default_severity,
        }),
        (_, problems) => Err(problems),
    }
}

/// A missing key is a problem as well: the catalogue fills nothing in.
fn needed<T>(section: &Section<'_>, name: &str, value: Option<T>) -> Option<T> {
    if value.is_none() && !section.has(name) {
        section.missing(name, "Every tier says it; config/tiers.toml shows how.");
    }
    value
}

fn text(section: &Section<'_>, name: &str) -> Option<String> {
    needed(section, name, section.text(name).map(|given| given.value))
}

fn texts(section: &Section<'_>, name: &str) -> Option<Vec<String>> {
    let given = section.texts(name, |text| match text.trim() {
        "" => Err(Wrong::new("has an empty entry", "Remove it.")),
        text => Ok(text.to_owned()),
    });
    needed(section, name, given.map(|given| given.value))
}

fn attributes(section: &Section<'_>, name: &str) -> Option<Vec<Attribute>> {
    let given = section.texts(name, |text| {
        text.parse::<Attribute>()
            .map_err(|fault| Wrong::new(format!("is wrong: {fault}"), "Write it so."))
    });
    needed(section, name, given.map(|given| given.value))
}

fn number(section: &Section<'_>, name: &str, most: u32) -> Option<u32> {
    needed(
        section,
        name,
        section.number(name, most).map(|given| given.value),
    )
}

fn flag(section: &Section<'_>, name: &str) -> Option<bool> {
    needed(section, name, section.flag(name).map(|given| given.value))
}

/// A value whose own error already says what it may be.
fn word<T: FromStr<Err: Display>>(section: &Section<'_>, name: &str) -> Option<T> {
    let given = section.parse(name, |text| {
        text.parse::<T>().map_err(|error| {
            Wrong::new(
                format!("is wrong: {error}"),
                "Write it as config/tiers.toml does.",
            )
        })
    });
    needed(section, name, given.map(|given| given.value))
}

fn at_least_one(section: &Section<'_>, name: &str, most: u32) -> Option<u32> {
    let value = number(section, name, most)?;
    if value == 0 {
        let wrong = Wrong::new("is 0", format!("Write a whole number from 1 to {most}."));
        section.refuse(name, &section.place_of(&[name]), wrong);
        return None;
    }
    Some(value)
}

fn tier(section: Section<'_>) -> Option<Read<'_>> {
    let slug = word(&section, "slug");
    let name = text(&section, "name");
    let cents = number(&section, "monthly_price_cents", MOST_CENTS);
    let framework = text(&section, "framework");
    let ou = text(&section, "ou");
    let rank = at_least_one(&section, "rank", 1000);
    let support_hours = word(&section, "support_hours");
    let on_call = on_call(&section.section("on_call"));
    let discord_channel = text(&section, "discord_channel");
    let disclosure = word(&section, "disclosure");
    let has_free_text_in_chat = flag(&section, "free_text_in_chat");
    let staff_attributes = attributes(&section, "staff_attributes");
    let has_audited_reads = flag(&section, "audited_reads");
    let approvals = number(&section, "approvals", MOST_APPROVALS);
    let audit_retention_years = at_least_one(&section, "audit_retention_years", 100);
    let ticket_retention_years = at_least_one(&section, "ticket_retention_years", 100);
    let raw_retention_days = at_least_one(&section, "raw_retention_days", 36_500);
    let scps = texts(&section, "scps");
    let permission_sets = texts(&section, "permission_sets");
    let has_enforced_tls = flag(&section, "enforced_tls");
    let copies_cc = flag(&section, "copies_cc");
    let priorities = cells(&section.section("priority"), word);
    let published_first_response = cells(&section.section("published_first_response"), word);
    let first_response = cells(&section.section("first_response"), first_response_goal);
    let next_response = cells(&section.section("next_response"), goal);
    let resolution = cells(&section.section("resolution"), goal);
    section.finish();
    if let (Some(slug), Some(published)) = (&slug, &published_first_response) {
        let check = |name, goals: &Option<PerSeverity<Goal>>| {
            if let Some(goals) = goals {
                check::against_published(&section, slug, name, published, goals);
            }
        };
        check("first_response", &first_response);
        check("next_response", &next_response);
    }

    let tier = Tier {
        slug: slug?,
        name: name?,
        monthly_price: Money::from_cents(i64::from(cents?)),
        framework: framework?,
        ou: ou?,
        rank: rank?,
        support_hours: support_hours?,
        on_call: on_call?,
        discord_channel: discord_channel?,
        disclosure: disclosure?,
        has_free_text_in_chat: has_free_text_in_chat?,
        staff_attributes: staff_attributes?,
        has_audited_reads: has_audited_reads?,
        approvals: approvals?,
        audit_retention_years: audit_retention_years?,
        ticket_retention_years: ticket_retention_years?,
        raw_retention_days: raw_retention_days?,
        scps: scps?,
        permission_sets: permission_sets?,
        has_enforced_tls: has_enforced_tls?,
        copies_cc: copies_cc?,
        priorities: priorities?,
        published_first_response: published_first_response?,
        targets: Targets {
            first_response: first_response?,
            next_response: next_response?,
            resolution: resolution?,
        },
    };
    Some(Read { tier, section })
}

fn on_call(section: &Section<'_>) -> Option<OnCall> {
    let schedule = text(section, "schedule");
    let policy = text(section, "policy");
    section.finish();
    Some(OnCall {
        schedule: schedule?,
        policy: policy?,
    })
}

/// One value for each severity; each one that is missing is a problem of its own.
fn cells<T>(
    section: &Section<'_>,
    read: impl Fn(&Section<'_>, &str) -> Option<T>,
) -> Option<PerSeverity<T>> {
    let cells = PerSeverity::new(|severity: Severity| read(section, severity.as_str()));
    section.finish();
    cells.complete()
}

/// The promise is there in every cell: it is what the customer buys.
fn first_response_goal(section: &Section<'_>, name: &str) -> Option<Goal> {
    goal_of(section, name, |cell| {
        word::<Target>(cell, "contract").map(Some)
    })
}

fn goal(section: &Section<'_>, name: &str) -> Option<Goal> {
    goal_of(section, name, |cell| {
        let contract = cell.parse("contract", |text| match text {
            "none" => Ok(None),
            _ => text.parse::<Target>().map(Some).map_err(|error| {
                Wrong::new(
                    format!("is wrong: {error}"),
                    "Write a time, or none for no promise.",
                )
            }),
        });
        needed(cell, "contract", contract.map(|given| given.value))
    })
}

fn goal_of(
    section: &Section<'_>,
    name: &str,
    contract: impl FnOnce(&Section<'_>) -> Option<Option<Target>>,
) -> Option<Goal> {
    if !section.has(name) {
        section.missing(
            name,
            "Write { contract = \"…\", internal = \"…\" } for every severity.",
        );
        // Asked for all the same, so that it counts as a known name here.
        let _ = section.section(name);
        return None;
    }
    let cell = section.section(name);
    let contract = contract(&cell);
    let internal = word::<Target>(&cell, "internal");
    cell.finish();
    let goal = Goal {
        contract: contract?,
        internal: internal?,
    };
    if let Some(contract) = goal.contract.filter(|contract| goal.internal > *contract) {
        let what = format!(
            "is {}, longer than the contract's {contract}",
            goal.internal
        );
        let wrong = Wrong::new(what, format!("Write {contract} or less."));
        cell.refuse("internal", &cell.place_of(&["internal"]), wrong);
    }
    Some(goal)
}
