//! The built-in policies, and every mistake of a file.

use super::*;
use crate::tiers::Severity;

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn rule_of(slug: &str, severity: Severity) -> Option<Rule> {
    let policies = Policies::embedded();
    policies.get(slug).unwrap().rules[severity].clone()
}

#[test]
fn the_built_in_chain_is_what_was_published() {
    for slug in ["gov-federal", "healthcare", "fintech", "standard"] {
        let rule = rule_of(slug, Severity::Sev1).unwrap();
        assert_eq!(rule.when, When::Now, "{slug}");
        assert_eq!(rule.hours, None, "{slug}");
        let waits: Vec<_> = rule.plan.steps.iter().map(|step| step.wait / 60).collect();
        assert_eq!(waits, [0, 10, 5, 5], "{slug}");
        assert_eq!(rule.plan.ack_expires, Some(30 * 60), "{slug}");
        assert_eq!(rule_of(slug, Severity::Sev4), None, "{slug}");
        let policies = Policies::embedded();
        assert!(policies.get(slug).unwrap().digest[Severity::Sev4], "{slug}");
    }
    assert_eq!(rule_of("standard", Severity::Sev3), None);
    let half = rule_of("gov-federal", Severity::Sev3).unwrap();
    assert_eq!(half.when, When::Part(50));
}

#[test]
fn nobody_is_woken_until_the_hours_begin_or_the_clock_has_run_down() {
    let rule = rule_of("standard", Severity::Sev2).unwrap();
    let day = at("2026-11-24T12:00:00Z");
    assert_eq!(rule.begins(day, day, None), (day, Urgency::High));
    let night = at("2026-11-24T23:00:00Z");
    let morning = at("2026-11-25T07:00:00Z");
    let objective = Some(at("2026-11-25T09:00:00Z"));
    assert_eq!(
        rule.begins(night, night, objective),
        (morning, Urgency::Low)
    );
    let soon = at("2026-11-25T03:00:00Z");
    assert_eq!(rule.begins(night, night, Some(soon)), (soon, Urgency::Low));
    // A clock that has run down already waits for nothing.
    assert_eq!(rule.begins(night, day, Some(day)), (night, Urgency::Low));
}

#[test]
fn a_part_of_the_objective_is_waited_for() {
    let rule = rule_of("gov-federal", Severity::Sev3).unwrap();
    let opened = at("2026-11-24T12:00:00Z");
    let objective = Some(at("2026-11-24T13:00:00Z"));
    let half = at("2026-11-24T12:30:00Z");
    assert_eq!(
        rule.begins(opened, opened, objective),
        (half, Urgency::High)
    );
    let late = at("2026-11-24T12:50:00Z");
    assert_eq!(rule.begins(late, opened, objective).0, late);
}

#[test]
fn every_mistake_is_told_at_once() {
    let wrong = Policies::EMBEDDED
        .replacen("when = \"now\"", "when = \"soon\"", 1)
        .replacen(
            "\"10min\", to = [\"role:platform-lead\", \"secondary\"]",
            "\"0min\", to = [\"boss\"]",
            2,
        )
        .replacen("hours = \"mon-sun", "hours = \"weekdays", 1)
        .replacen("slug = \"triage\"", "slug = \"other\"", 1)
        .replacen("at = \"09:00\"", "at = \"nine\"", 1)
        .replacen("remind_ahead = \"24h\"", "remind_ahead = \"1min\"", 1)
        .replacen("repeat = 1", "repeat = 99", 1);
    let error = Policies::parse(&wrong, "oncall.toml", &Catalogue::embedded()).unwrap_err();
    let text = error.to_string();
    for wanted in [
        "\"soon\"",
        "\"boss\" is none of",
        "later than the one before",
        "weekdays",
        "triage names the policy \"triage\"",
        "repeat is 99",
        "at is \"nine\"",
        "remind_ahead is \"1min\"",
    ] {
        assert!(text.contains(wanted), "{wanted}: {text}");
    }
    let unknown = format!("{}\ncolour = \"red\"", Policies::EMBEDDED);
    assert!(Policies::parse(&unknown, "o", &Catalogue::embedded()).is_err());
}

#[test]
fn an_edited_policy_has_another_version() {
    let edited = Policies::EMBEDDED.replacen("end_after = \"10min\"", "end_after = \"11min\"", 1);
    let edited = Policies::parse(&edited, "o", &Catalogue::embedded()).unwrap();
    let version = |policies: &Policies| {
        let rule = policies.get("gov-federal").unwrap().rules[Severity::Sev1].clone();
        rule.unwrap().plan.version
    };
    assert_ne!(version(&edited), version(&Policies::embedded()));
}
