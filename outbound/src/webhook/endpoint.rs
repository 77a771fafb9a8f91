//! An address that alerts go to, checked when it is made: one of the configuration, or one that a member
//! of the staff has for themselves.

use std::{fmt, net::IpAddr};

use reqwest::{Url, header::HeaderValue};
use tierdesk_core::settings::{Ping, Secret, Webhook, WebhookFormat};

use super::address::{NotPublic, is_public};

/// Why an endpoint cannot be sent to. No text holds the address's path or a key.
#[derive(Debug, thiserror::Error)]
pub enum EndpointError {
    /// It has no address, and its format none of its own.
    #[error("it has no address")]
    NoAddress,
    /// It is no URL.
    #[error("its address is no URL: {0}")]
    Url(String),
    /// It is not HTTPS.
    #[error("its address begins with {0}:// and not with https://")]
    Scheme(String),
    /// It names somebody before the `@`.
    #[error("its address has a name or password in it; a key is given beside it")]
    Login,
    /// It is an address of the house.
    #[error("only public addresses may be used")]
    Private(#[source] NotPublic),
    /// ntfy's topic is missing.
    #[error("its address does not end in a topic of ntfy, letters, digits, - and _")]
    Topic,
    /// Something that the format needs is missing.
    #[error("{0} needs {1}")]
    Missing(WebhookFormat, &'static str),
    /// A key that no header can hold.
    #[error("its key has characters that no key has")]
    Key,
}

/// Where an alert goes, in which form, with which key. Its Debug shows the host at most.
#[derive(Clone)]
pub struct Endpoint {
    name: String,
    url: Url,
    topic: Option<String>,
    format: WebhookFormat,
    key: Option<Secret>,
    user: Option<Secret>,
    bearer: Option<HeaderValue>,
    has_template: bool,
    allow_private: bool,
}

impl fmt::Debug for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Endpoint")
            .field("name", &self.name)
            .field("host", &self.host())
            .field("format", &self.format)
            .field("allow_private", &self.allow_private)
            .finish_non_exhaustive()
    }
}

impl Endpoint {
    /// One of the configuration.
    pub fn configured(webhook: &Webhook) -> Result<Self, EndpointError> {
        let made = Self::make(
            &webhook.name,
            Some(webhook.url.expose()),
            webhook.format,
            (webhook.key.clone(), webhook.user.clone()),
            webhook.allow_private,
        )?;
        Ok(Self {
            has_template: webhook.template.is_some(),
            ..made
        })
    }

    /// One that somebody chose for themselves: public, and over HTTPS. `url` may be left out where the
    /// format has an address of its own. `name` is for the log.
    pub fn personal(
        name: &str,
        url: Option<&str>,
        format: WebhookFormat,
        key: Option<Secret>,
        user: Option<Secret>,
    ) -> Result<Self, EndpointError> {
        Self::make(name, url, format, (key, user), false)
    }

    /// A dead-man address.
    pub fn pinged(ping: &Ping) -> Result<Self, EndpointError> {
        let url = Some(ping.url.expose());
        let none = (None, None);
        Self::make(
            "watchdog",
            url,
            WebhookFormat::Json,
            none,
            ping.allow_private,
        )
    }

    fn make(
        name: &str,
        url: Option<&str>,
        format: WebhookFormat,
        (key, user): (Option<Secret>, Option<Secret>),
        allow_private: bool,
    ) -> Result<Self, EndpointError> {
        let text = url.or(format.usual_url());
        let text = text.ok_or(EndpointError::NoAddress)?;
        let mut url = checked(text, allow_private)?;
        let topic = match format {
            WebhookFormat::Ntfy => Some(take_topic(&mut url)?),
            _ => None,
        };
        for (wanted, given, what) in [
            (format.needs_key(), &key, "a key"),
            (format.needs_user(), &user, "a user"),
        ] {
            if wanted && given.is_none() {
                return Err(EndpointError::Missing(format, what));
            }
        }
        let bearer = match (&key, format) {
            (Some(key), WebhookFormat::Json | WebhookFormat::Ntfy) => Some(bearer(key)?),
            _ => None,
        };
        Ok(Self {
            name: name.to_owned(),
            url,
            topic,
            format,
            key,
            user,
            bearer,
            has_template: false,
            allow_private,
        })
    }

    /// What the desk calls it.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The shape of its bodies.
    pub fn format(&self) -> WebhookFormat {
        self.format
    }

    /// The server: all of its address that may be shown.
    pub fn host(&self) -> &str {
        self.url.host_str().unwrap_or_default()
    }

    pub(super) fn address(&self) -> Url {
        self.url.clone()
    }

    pub(super) fn allows_private(&self) -> bool {
        self.allow_private
    }

    pub(super) fn has_template(&self) -> bool {
        self.has_template
    }

    pub(super) fn topic(&self) -> Option<&str> {
        self.topic.as_deref()
    }

    pub(super) fn key(&self) -> Option<&str> {
        self.key.as_ref().map(Secret::expose)
    }

    pub(super) fn user(&self) -> Option<&str> {
        self.user.as_ref().map(Secret::expose)
    }

    pub(super) fn bearer(&self) -> Option<HeaderValue> {
        self.bearer.clone()
    }

    /// Takes out of a text what only we and the server are to know: some servers repeat it.
    pub(super) fn redact(&self, text: &str) -> String {
        /// `api`, `v1`, `hooks`: words of an address that are no secrets.
        const SHORTEST: usize = 8;
        let path = self.url.path();
        let segments = path.split('/').filter(|part| part.len() >= SHORTEST);
        let mut secrets: Vec<&str> = [self.key(), self.user(), self.topic(), self.url.query()]
            .into_iter()
            .flatten()
            .chain((path.len() > 1).then_some(path))
            .chain(segments)
            .filter(|secret| secret.len() > 2)
            .collect();
        // The longest first, or a part of one would save the rest from being found.
        secrets.sort_by_key(|secret| std::cmp::Reverse(secret.len()));
        secrets.iter().fold(text.to_owned(), |text, secret| {
            text.replace(secret, "[redacted]")
        })
    }
}

fn checked(text: &str, allow_private: bool) -> Result<Url, EndpointError> {
    let mut url = Url::parse(text.trim()).map_err(|fault| EndpointError::Url(fault.to_string()))?;
    let is_scheme_good = match url.scheme() {
        "https" => true,
        "http" => allow_private,
        _ => false,
    };
    if !is_scheme_good {
        return Err(EndpointError::Scheme(url.scheme().to_owned()));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(EndpointError::Login);
    }
    // The client does not look up what is an address already, in whatever notation: the URL's parser has
    // put it into the usual one.
    let host = url.host_str().unwrap_or_default();
    let literal = host.trim_start_matches('[').trim_end_matches(']');
    if let Ok(address) = literal.parse::<IpAddr>()
        && !allow_private
        && !is_public(address)
    {
        return Err(EndpointError::Private(NotPublic(address)));
    }
    url.set_fragment(None);
    Ok(url)
}

/// ntfy takes JSON at its root; people know the address of their topic.
fn take_topic(url: &mut Url) -> Result<String, EndpointError> {
    /// ntfy's own limit.
    const LONGEST: usize = 64;
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
    let path = url.path().trim_end_matches('/').to_owned();
    let (root, topic) = path.rsplit_once('/').ok_or(EndpointError::Topic)?;
    if topic.is_empty() || topic.len() > LONGEST || !topic.bytes().all(is_plain) {
        return Err(EndpointError::Topic);
    }
    url.set_path(&format!("{root}/"));
    url.set_query(None);
    Ok(topic.to_owned())
}

fn bearer(key: &Secret) -> Result<HeaderValue, EndpointError> {
    let value = HeaderValue::from_str(&format!("Bearer {}", key.expose()));
    let mut value = value.map_err(|_| EndpointError::Key)?;
    value.set_sensitive(true);
    Ok(value)
}
