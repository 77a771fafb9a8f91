//! The body of an alert: JSON, by a template of its format or by the operator's own.
//!
//! A template is JSON with `{{ places }}`; whatever stands in one is written as a JSON value, quotes
//! included, so no text can break out of its place and no author of a template can forget to escape. What
//! a service would make of its text beyond that (mentions, links, markup) is taken out by the filters
//! `slack` and `discord`. Each template is rendered with samples when the program starts and by `doctor`.

use std::{fs, path::Path};

use minijinja::{AutoEscape, Environment, UndefinedBehavior};
use serde::Serialize;
use tierdesk_core::{clock::Timestamp, settings::WebhookFormat, tiers::Severity};

use super::{Action, Alert, endpoint::Endpoint, is_coded, pagerduty};

/// The shipped templates by the name of their format.
const SHIPPED: [(WebhookFormat, &str); 6] = [
    (
        WebhookFormat::Json,
        include_str!("../../../config/webhooks/json.json"),
    ),
    (
        WebhookFormat::Slack,
        include_str!("../../../config/webhooks/slack.json"),
    ),
    (
        WebhookFormat::Discord,
        include_str!("../../../config/webhooks/discord.json"),
    ),
    (
        WebhookFormat::Teams,
        include_str!("../../../config/webhooks/teams.json"),
    ),
    (
        WebhookFormat::Ntfy,
        include_str!("../../../config/webhooks/ntfy.json"),
    ),
    (
        WebhookFormat::Pushover,
        include_str!("../../../config/webhooks/pushover.json"),
    ),
];

/// An alert is read on a telephone; and a service refuses what is too long for it, which would be a page
/// that nobody gets.
const LONGEST_TITLE: usize = 250;
const LONGEST_LINE: usize = 500;
const MOST_LINES: usize = 40;

/// Why a template cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum TemplateError {
    /// The file cannot be read.
    #[error("{file} cannot be read")]
    Unreadable {
        /// The file.
        file: String,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// It is no template, or names what there is not.
    #[error("{name}{}: {detail}", .line.map_or(String::new(), |line| format!(", line {line}")))]
    Template {
        /// The template.
        name: String,
        /// The line in it.
        line: Option<usize>,
        /// What is wrong.
        detail: String,
    },
    /// What it renders to is no JSON object. The text is not shown: it holds the key of some formats.
    #[error("{name} renders to what is no JSON object: {detail}")]
    NotJson {
        /// The template.
        name: String,
        /// What is wrong.
        detail: String,
    },
}

/// The templates.
#[derive(Debug)]
pub(super) struct Bodies {
    environment: Environment<'static>,
}

/// What a template may name.
#[derive(Serialize)]
struct Words<'w> {
    action: &'static str,
    key: &'w str,
    /// The title, with what is said about the page in front.
    heading: String,
    title: String,
    body: Vec<String>,
    /// The body's lines as one text.
    text: String,
    severity: Severity,
    tier: Option<&'w str>,
    link: Option<&'w str>,
    at: Timestamp,
    /// `at` in seconds since 1970.
    unix: i64,
    is_test: bool,
    /// ntfy's.
    topic: Option<&'w str>,
    /// Pushover's, both.
    token: Option<&'w str>,
    user: Option<&'w str>,
}

impl Bodies {
    pub(super) fn shipped() -> Self {
        let mut environment = Environment::new();
        environment.set_undefined_behavior(UndefinedBehavior::Strict);
        environment.set_auto_escape_callback(|_| AutoEscape::Json);
        environment.add_filter("clip", clip);
        environment.add_filter("slack", slack);
        environment.add_filter("discord", discord);
        for (format, text) in SHIPPED {
            environment
                .add_template(format.as_str(), text)
                .expect("a test renders the shipped templates");
        }
        Self { environment }
    }

    /// Puts the template in `file` into the place of the shipped one, for the webhook called `name`.
    pub(super) fn replace(&mut self, name: &str, file: &Path) -> Result<(), TemplateError> {
        let text = fs::read_to_string(file).map_err(|source| TemplateError::Unreadable {
            file: file.display().to_string(),
            source,
        })?;
        let shown = file.display().to_string();
        let own = own(name);
        self.environment
            .add_template_owned(own.clone(), text)
            .map_err(|fault| wrong(&shown, &fault))?;
        self.check(&own, &shown)
    }

    /// The body of this alert for this endpoint.
    pub(super) fn of(&self, endpoint: &Endpoint, alert: &Alert) -> Result<String, TemplateError> {
        if is_coded(endpoint.format()) {
            return Ok(pagerduty::event(endpoint.key().unwrap_or_default(), alert));
        }
        let own = own(endpoint.name());
        let name = if endpoint.has_template() {
            &own
        } else {
            endpoint.format().as_str()
        };
        let words = Words {
            topic: endpoint.topic(),
            token: endpoint.key(),
            user: endpoint.user(),
            ..Words::of(alert)
        };
        self.render(name, name, &words)
    }

    /// Renders with samples of everything that an alert can be.
    fn check(&self, name: &str, shown: &str) -> Result<(), TemplateError> {
        for alert in samples() {
            let words = Words {
                topic: Some("topic"),
                token: Some("token"),
                user: Some("user"),
                ..Words::of(&alert)
            };
            self.render(name, shown, &words)?;
        }
        Ok(())
    }

    fn render(&self, name: &str, shown: &str, words: &Words<'_>) -> Result<String, TemplateError> {
        let template = self.environment.get_template(name);
        let text = template.and_then(|template| template.render(words));
        let text = text.map_err(|fault| wrong(shown, &fault))?;
        let parsed: Result<serde_json::Map<String, serde_json::Value>, _> =
            serde_json::from_str(&text);
        match parsed {
            Ok(object) => Ok(serde_json::Value::Object(object).to_string()),
            Err(fault) => Err(TemplateError::NotJson {
                name: shown.to_owned(),
                detail: fault.to_string(),
            }),
        }
    }
}

/// No format has a slash in its name.
fn own(name: &str) -> String {
    format!("webhook/{name}")
}

fn wrong(shown: &str, fault: &minijinja::Error) -> TemplateError {
    TemplateError::Template {
        name: shown.to_owned(),
        line: fault.line(),
        detail: match fault.detail() {
            Some(detail) => format!("{}: {detail}", fault.kind()),
            None => fault.kind().to_string(),
        },
    }
}

impl<'w> Words<'w> {
    fn of(alert: &'w Alert) -> Self {
        let title = clip(&plain(&alert.title), LONGEST_TITLE);
        let lines = alert.body.iter().take(MOST_LINES);
        let body: Vec<String> = lines.map(|line| clip(&plain(line), LONGEST_LINE)).collect();
        Self {
            action: alert.action.as_str(),
            key: &alert.key,
            heading: heading(alert, &title),
            title,
            text: body.join("\n"),
            body,
            severity: alert.severity,
            tier: alert.tier.as_deref(),
            link: alert.link.as_deref(),
            at: alert.at,
            unix: alert.at.micros().div_euclid(1_000_000),
            is_test: alert.is_test,
            topic: None,
            token: None,
            user: None,
        }
    }
}

/// The title, with what is said about the page in front.
pub(super) fn heading(alert: &Alert, title: &str) -> String {
    let test = if alert.is_test { "TEST: " } else { "" };
    let about = match alert.action {
        Action::Trigger => "",
        Action::Acknowledge => "Acknowledged: ",
        Action::Resolve => "Resolved: ",
    };
    format!("{test}{about}{title}")
}

/// On one line, without what is not seen or turns the direction of writing.
pub(super) fn plain(text: &str) -> String {
    let is_hidden = |c: char| matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}');
    let spaced = text.chars().map(|c| if c.is_control() { ' ' } else { c });
    spaced.filter(|c| !is_hidden(*c)).collect()
}

/// At most so many characters; what was cut ends in an ellipsis.
pub(super) fn clip(text: &str, most: usize) -> String {
    if text.chars().count() <= most {
        return text.to_owned();
    }
    let kept: String = text.chars().take(most.saturating_sub(1)).collect();
    format!("{kept}…")
}

/// The three characters by which Slack knows mentions and links.
fn slack(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
}

/// Nothing that Discord makes bold, a mention, or a link to follow; at most so many characters, which
/// counts what escaping adds.
fn discord(text: &str, most: usize) -> String {
    /// Seen by nobody, and keeps the parts of a link and of a mention apart.
    const JOINER: char = '\u{2060}';
    let mut safe = String::with_capacity(text.len() + text.len() / 4);
    let (mut length, mut before) = (0, ' ');
    for c in text.chars() {
        let is_name = before == '.' && c.is_ascii_alphabetic();
        let is_active = "\\*_~|>#-[]()<`@:".contains(c);
        let is_lead = matches!(c, '@' | ':');
        length += 1 + usize::from(is_name) + usize::from(is_active) + usize::from(is_lead);
        if length >= most {
            safe.push('…');
            break;
        }
        safe.extend(is_name.then_some(JOINER));
        safe.extend(is_active.then_some('\\'));
        safe.push(c);
        safe.extend(is_lead.then_some(JOINER));
        before = c;
    }
    safe
}

/// Everything that an alert can be, and texts that would like to be more than text.
fn samples() -> Vec<Alert> {
    let hostile = "\"}, {{ 1 }} </a> & \\ \u{2028} <!channel> @everyone 'x' {% raw %}";
    let mut samples = Vec::new();
    for action in Action::ALL {
        for severity in Severity::ALL {
            for (text, is_full) in [("Payments fail", true), (hostile, true), ("", false)] {
                samples.push(Alert {
                    action,
                    key: "page-1".to_owned(),
                    title: text.to_owned(),
                    body: if is_full {
                        vec![text.to_owned(), "SB-12".to_owned()]
                    } else {
                        Vec::new()
                    },
                    severity,
                    tier: is_full.then(|| "business".to_owned()),
                    link: is_full.then(|| "https://desk.example/t/SB-12".to_owned()),
                    at: Timestamp::from_seconds(1_795_876_200),
                    is_test: !is_full,
                });
            }
        }
    }
    samples
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_shipped_templates_render_and_so_do_their_samples() {
        let bodies = Bodies::shipped();
        for (format, _) in SHIPPED {
            let checked = bodies.check(format.as_str(), format.as_str());
            checked.unwrap_or_else(|fault| panic!("{fault}"));
        }
        for format in WebhookFormat::ALL {
            let has_template = SHIPPED.iter().any(|(shipped, _)| *shipped == format);
            assert_ne!(has_template, is_coded(format), "{format}");
        }
        assert_eq!(samples().len(), 36);
    }

    #[test]
    fn a_template_that_is_wrong_is_told_with_its_line() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("own.json");
        for (text, says) in [
            ("{\"a\": {{ title }}, \"b\": {{ text|clip(3) }}}", None),
            ("{\n\"a\": {{ titel }}}", Some("line 2")),
            ("{\"a\": \"{{ title }}\"}", Some("no JSON object")),
            ("{\"a\": {{ title|xml }}}", Some("xml")),
            ("{\"a\": {{ title }", Some("syntax error")),
            ("[{{ title }}]", Some("no JSON object")),
            (
                "{\"a\": {% if tier %}{{ tier }}{% endif %}}",
                Some("no JSON object"),
            ),
            ("", Some("no JSON object")),
        ] {
            fs::write(&file, text).expect("it is written");
            let replaced = Bodies::shipped().replace("own", &file);
            match (replaced, says) {
                (Ok(()), None) => {}
                (Err(fault), Some(says)) => {
                    let told = fault.to_string();
                    assert!(told.contains(says) && told.contains("own.json"), "{told}");
                }
                (other, _) => panic!("{text}: {other:?}"),
            }
        }
    }

    #[test]
    fn what_a_service_would_act_on_is_text() {
        for (text, shown) in [
            ("@everyone", "\\@\u{2060}everyone"),
            ("**b** `c`", "\\*\\*b\\*\\* \\`c\\`"),
            ("https://a.example", "https\\:\u{2060}//a.\u{2060}example"),
            ("discord.gg/x", "discord.\u{2060}gg/x"),
            ("version 1.2", "version 1.2"),
        ] {
            assert_eq!(discord(text, 100), shown, "{text}");
        }
        assert_eq!(discord("ab@cd", 6), "ab\\@\u{2060}…");
        assert_eq!(discord(&"@".repeat(900), 500).chars().count(), 499);
        assert_eq!(slack("<!channel> & co"), "&lt;!channel&gt; &amp; co");
        assert_eq!(plain("a\r\nb\u{202e}c\u{200b}"), "a  bc");
        assert_eq!(
            (clip("abcd", 4), clip("abcde", 4)),
            ("abcd".into(), "abc…".into())
        );
    }
}
