//! Rules that span cells or tiers.

use super::{Goal, PerSeverity, Severity, Target, TierSlug, read::Read};
use crate::settings::{Wrong, reader::Section};

/// No response is promised slower than the price page publishes it.
pub(super) fn against_published(
    section: &Section<'_>,
    slug: &TierSlug,
    name: &str,
    published: &PerSeverity<Target>,
    goals: &PerSeverity<Goal>,
) {
    for (severity, goal) in goals.iter() {
        let published = published[severity];
        let Some(contract) = goal.contract.filter(|contract| *contract > published) else {
            continue;
        };
        let key = format!("{name}.{severity}.contract");
        let what =
            format!("promises tier {slug} {contract} at {severity}, but {published} is published");
        let remedy = format!(
            "Write {published} or less; published_first_response changes only with the price page."
        );
        let place = section.place_of(&[name, severity.as_str(), "contract"]);
        section.refuse(&key, &place, Wrong::new(what, remedy));
    }
}

/// What must differ from tier to tier, and the order of the queue.
pub(super) fn across(tiers: &[Read<'_>]) {
    unique(tiers, "slug", |read| read.tier.slug.to_string());
    unique(tiers, "rank", |read| read.tier.rank.to_string());
    unique(tiers, "ou", |read| read.tier.ou.clone());
    for strict in tiers {
        for mild in tiers
            .iter()
            .filter(|mild| mild.tier.rank > strict.tier.rank)
        {
            for severity in Severity::ALL {
                never_later(strict, mild, severity);
            }
        }
    }
}

fn unique(tiers: &[Read<'_>], name: &str, value: impl Fn(&Read<'_>) -> String) {
    for (index, read) in tiers.iter().enumerate() {
        let own = value(read);
        if tiers
            .iter()
            .take(index)
            .any(|earlier| value(earlier) == own)
        {
            let what = format!("is {own}, as in an earlier tier");
            let wrong = Wrong::new(what, format!("Give each tier a {name} of its own."));
            read.section
                .refuse(name, &read.section.place_of(&[name]), wrong);
        }
    }
}

fn never_later(strict: &Read<'_>, mild: &Read<'_>, severity: Severity) {
    let (own, other) = (
        strict.tier.priorities[severity],
        mild.tier.priorities[severity],
    );
    if own <= other {
        return;
    }
    let (slug, milder) = (&strict.tier.slug, &mild.tier.slug);
    let what = format!("puts tier {slug} at {own}, after the less strict tier {milder} at {other}");
    let place = strict.section.place_of(&["priority", severity.as_str()]);
    let wrong = Wrong::new(
        what,
        format!("Write {other} or sooner, or move {milder} back."),
    );
    strict
        .section
        .refuse(&format!("priority.{severity}"), &place, wrong);
}
