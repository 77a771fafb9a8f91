//! PagerDuty's Events API v2: one event for what happens to a page, under one key.

use serde::Serialize;
use tierdesk_core::{clock::Timestamp, tiers::Severity};

use super::{
    Action, Alert,
    body::{clip, heading, plain},
};

/// PagerDuty refuses a longer summary.
const LONGEST_SUMMARY: usize = 1024;
const LONGEST_DETAILS: usize = 4000;

#[derive(Serialize)]
struct Event<'e> {
    routing_key: &'e str,
    #[serde(rename = "event_action")]
    action: &'static str,
    dedup_key: &'e str,
    #[serde(skip_serializing_if = "Option::is_none")]
    payload: Option<Payload<'e>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    client: Option<&'static str>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    links: Vec<Link<'e>>,
}

#[derive(Serialize)]
struct Payload<'e> {
    summary: String,
    source: &'static str,
    severity: &'static str,
    timestamp: Timestamp,
    #[serde(skip_serializing_if = "Option::is_none")]
    component: Option<&'e str>,
    class: &'static str,
    custom_details: Details,
}

#[derive(Serialize)]
struct Details {
    text: String,
    severity: Severity,
}

#[derive(Serialize)]
struct Link<'e> {
    href: &'e str,
    text: &'static str,
}

/// The event's JSON. What acknowledges or resolves is known by its key alone, and says no more.
pub(super) fn event(routing_key: &str, alert: &Alert) -> String {
    let is_trigger = alert.action == Action::Trigger;
    let event = Event {
        routing_key,
        action: alert.action.as_str(),
        dedup_key: &alert.key,
        payload: is_trigger.then(|| payload(alert)),
        client: is_trigger.then_some("tierdesk"),
        links: alert
            .link
            .iter()
            .filter(|_| is_trigger)
            .map(|href| Link {
                href,
                text: "Open in the desk",
            })
            .collect(),
    };
    serde_json::to_string(&event).expect("texts and numbers are JSON")
}

fn payload(alert: &Alert) -> Payload<'_> {
    let lines: Vec<String> = alert.body.iter().map(|line| plain(line)).collect();
    let summary = heading(alert, &plain(&alert.title));
    Payload {
        // PagerDuty refuses an event without one.
        summary: if summary.trim().is_empty() {
            "A page without a title".to_owned()
        } else {
            clip(&summary, LONGEST_SUMMARY)
        },
        source: "tierdesk",
        severity: severity(alert.severity),
        timestamp: alert.at,
        component: alert.tier.as_deref(),
        class: if alert.is_test { "test" } else { "page" },
        custom_details: Details {
            text: clip(&lines.join("\n"), LONGEST_DETAILS),
            severity: alert.severity,
        },
    }
}

/// PagerDuty's four words.
const fn severity(severity: Severity) -> &'static str {
    match severity {
        Severity::Sev1 => "critical",
        Severity::Sev2 => "error",
        Severity::Sev3 => "warning",
        Severity::Sev4 => "info",
    }
}
