//! `[[webhook]]`: where pages go besides chat and mail.

use super::{
    Key,
    problem::Wrong,
    reader::Section,
    url::{self, PrivateUrl},
};

pub(super) const KEYS: &[Key] = &[
    Key::later(
        "webhook[].url",
        "https:// address that gets a POST; it is kept like a secret",
        "-",
    ),
    Key::later(
        "webhook[].format",
        "json, slack, discord or pagerduty",
        "json",
    ),
];

/// `[[webhook]]`
#[derive(Clone, Debug)]
pub struct Webhook {
    /// Shows its host at most.
    pub url: PrivateUrl,
    /// The shape of the body.
    pub format: WebhookFormat,
}

/// The shape of a webhook's body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WebhookFormat {
    /// Our own JSON.
    Json,
    /// Slack's incoming webhook.
    Slack,
    /// Discord's webhook.
    Discord,
    /// PagerDuty Events v2.
    PagerDuty,
}

pub(super) fn read(section: &Section<'_>) -> Option<Webhook> {
    let url = section.parse("url", |text| {
        url::check(text, &["https", "http"]).map(PrivateUrl::hiding_path)
    });
    let format = section.parse("format", format).map(|given| given.value);
    if !section.has("url") {
        section.missing("url", "Give the address that gets the POST.");
    }
    section.finish();
    Some(Webhook {
        url: url?.value,
        format: format.unwrap_or(WebhookFormat::Json),
    })
}

fn format(text: &str) -> Result<WebhookFormat, Wrong> {
    match text {
        "json" => Ok(WebhookFormat::Json),
        "slack" => Ok(WebhookFormat::Slack),
        "discord" => Ok(WebhookFormat::Discord),
        "pagerduty" => Ok(WebhookFormat::PagerDuty),
        _ => Err(Wrong::new(
            format!("is {text:?}"),
            "Write json, slack, discord or pagerduty.",
        )),
    }
}
