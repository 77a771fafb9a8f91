//! `[http]`: what the desk answers over HTTP.

use std::net::{Ipv4Addr, SocketAddr};

use super::{Key, mail::socket_address, problem::Wrong, reader::Section, secret::Secret, url};

pub(super) const KEYS: &[Key] = &[
    Key::now(
        "http.listen",
        "IP:PORT of the http role; set, it is part of `serve`",
        "127.0.0.1:8080, and only with --role http",
    ),
    Key::now(
        "http.public_url",
        "the address under which the pages are reached from outside",
        "none",
    ),
    Key::now(
        "http.pagerduty_secret",
        "what PagerDuty signs its webhooks with, several with a space between; or pagerduty_secret_file",
        "none: PagerDuty is not listened to",
    ),
    Key::now(
        "http.pagerduty_secret_file",
        "the file that holds them, one a line",
        "none",
    ),
];

/// `[http]`
#[derive(Clone, Debug)]
pub struct HttpSettings {
    /// Where the pages are served.
    pub listen: SocketAddr,
    /// Whether that was said, rather than left as it is.
    pub is_listen_set: bool,
    /// What links to the pages begin with, without a slash at the end.
    pub public_url: Option<String>,
    /// What PagerDuty signs its webhooks with; any of them will do.
    pub pagerduty_secrets: Vec<Secret>,
}

pub(super) fn read(section: &Section<'_>) -> HttpSettings {
    let listen = section.parse("listen", socket_address);
    let settings = HttpSettings {
        is_listen_set: listen.is_some(),
        listen: listen.map_or_else(|| (Ipv4Addr::LOCALHOST, 8080).into(), |given| given.value),
        public_url: section
            .parse("public_url", |text| {
                let url = url::check(text, &["https", "http"])?;
                Ok(url.trim_end_matches('/').to_owned())
            })
            .map(|given| given.value),
        pagerduty_secrets: read_secrets(section),
    };
    section.finish();
    settings
}

/// One secret each, so that a new one can be had beside the old while PagerDuty changes over.
fn read_secrets(section: &Section<'_>) -> Vec<Secret> {
    /// PagerDuty's own are far longer; what is shorter can be guessed.
    const SHORTEST: usize = 16;
    let Some(given) = section.secret("pagerduty_secret") else {
        return Vec::new();
    };
    let words = given.value.expose().split_whitespace();
    let secrets: Vec<Secret> = words.map(|word| Secret::new(word.to_owned())).collect();
    if secrets.iter().any(|one| one.expose().len() < SHORTEST) {
        let wrong = Wrong::new(
            format!("has one of less than {SHORTEST} characters"),
            "Copy the secret that PagerDuty showed when the webhook was made.",
        );
        section.refuse("pagerduty_secret", &given.place, wrong);
    }
    secrets
}
