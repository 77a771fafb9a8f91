//! Pages leave the house: one POST each to PagerDuty, Pushover, ntfy, Slack, Teams, Discord, or a program
//! of one's own.
//!
//! What is held: the texts come cut down to what the tier lets out, and nothing is added here; no text
//! breaks out of its place in a body; nothing but a public address is connected to unless the operator
//! said so for that webhook; every call ends within its time and is told as one of four answers, in words
//! without address path or key.
//!
//! To add a format: a variant of `WebhookFormat` in core, a template in config/webhooks, a line in
//! `body`'s `SHIPPED`, its limits in docs/webhooks.md.

mod address;
mod answer;
mod body;
mod endpoint;
mod pagerduty;
#[cfg(test)]
mod tests;

use std::{sync::Arc, time::Duration};

use reqwest::{
    Client, Method, Request,
    header::{CONTENT_TYPE, HeaderValue},
    redirect::Policy,
};
/// What is said about a page: PagerDuty's words, and those of our own JSON.
pub use tierdesk_core::paging::Signal as Action;
use tierdesk_core::{
    clock::Timestamp,
    settings::{Webhook, WebhookFormat},
    telemetry,
    tiers::Severity,
};

use self::{address::Resolver, body::Bodies};
pub use self::{
    address::{Looking, Lookup, NotPublic, SystemLookup, is_public},
    answer::Answer,
    body::TemplateError,
    endpoint::{Endpoint, EndpointError},
};

/// For a connection, its name looked up and TLS agreed.
const CONNECT: Duration = Duration::from_secs(3);
/// For everything. A page has other ways to go when this one is slow.
const WHOLE: Duration = Duration::from_secs(10);
/// PagerDuty takes no longer key, and what follows an alert must find it by the same one.
const LONGEST_KEY: usize = 255;

/// A page as it leaves. Its texts are what the tier lets out, cut down before they come here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Alert {
    /// What is said about it.
    pub action: Action,
    /// One key for the page's whole life, at most 255 bytes: what triggered is resolved by it.
    pub key: String,
    /// One line.
    pub title: String,
    /// The lines below it.
    pub body: Vec<String>,
    /// How bad it is.
    pub severity: Severity,
    /// The tier, where it may be named.
    pub tier: Option<String>,
    /// Where to look.
    pub link: Option<String>,
    /// Since when.
    pub at: Timestamp,
    /// Somebody tries the way out, and nobody need get up.
    pub is_test: bool,
}

/// Why the webhooks cannot be used as they are configured.
#[derive(Debug, thiserror::Error)]
pub enum WebhookError {
    /// One cannot be sent to.
    #[error("the webhook {name} cannot be used")]
    Endpoint {
        /// What it is called.
        name: String,
        /// Why.
        #[source]
        source: EndpointError,
    },
    /// A template is wrong.
    #[error("the template of the webhook {name} cannot be used")]
    Template {
        /// What the webhook is called.
        name: String,
        /// Why.
        #[source]
        source: TemplateError,
    },
    /// There is no client, as the system's certificates cannot be read.
    #[error("HTTPS cannot be set up: {0}")]
    Client(String),
}

/// How long a call may take.
#[derive(Clone, Copy, Debug)]
pub struct Patience {
    /// For a connection, its name looked up and TLS agreed.
    pub connect: Duration,
    /// For everything.
    pub whole: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        Self {
            connect: CONNECT,
            whole: WHOLE,
        }
    }
}

/// The way out to webhooks: those of the configuration, and those that members of the staff have for
/// themselves.
#[derive(Debug)]
pub struct Webhooks {
    guarded: Client,
    free: Client,
    bodies: Bodies,
    endpoints: Vec<Endpoint>,
}

impl Webhooks {
    /// The webhooks of the configuration, each template rendered with samples.
    pub fn new(settings: &[Webhook]) -> Result<Self, WebhookError> {
        let lookup: Arc<dyn Lookup> = Arc::new(SystemLookup);
        Self::with(settings, &lookup, Patience::default())
    }

    /// The same with another way to look up names, and other time limits.
    pub fn with(
        settings: &[Webhook],
        lookup: &Arc<dyn Lookup>,
        patience: Patience,
    ) -> Result<Self, WebhookError> {
        let mut bodies = Bodies::shipped();
        let mut endpoints = Vec::with_capacity(settings.len());
        for webhook in settings {
            let name = || webhook.name.clone();
            let endpoint = Endpoint::configured(webhook).map_err(|source| {
                let name = name();
                WebhookError::Endpoint { name, source }
            })?;
            if let Some(file) = &webhook.template {
                let added = bodies.replace(&webhook.name, file);
                added.map_err(|source| {
                    let name = name();
                    WebhookError::Template { name, source }
                })?;
            }
            endpoints.push(endpoint);
        }
        Ok(Self {
            guarded: client(lookup, patience, true)?,
            free: client(lookup, patience, false)?,
            bodies,
            endpoints,
        })
    }

    /// Those of the configuration.
    pub fn endpoints(&self) -> &[Endpoint] {
        &self.endpoints
    }

    /// The one of the configuration that is called so.
    pub fn find(&self, name: &str) -> Option<&Endpoint> {
        self.endpoints.iter().find(|one| one.name() == name)
    }

    /// Sends, once. Whether it is tried again is for the caller to say, by the answer.
    pub async fn send(&self, endpoint: &Endpoint, alert: &Alert) -> Answer {
        let request = match self.request(endpoint, alert) {
            Ok(request) => request,
            Err(words) => return Answer::Never { words },
        };
        self.answer(endpoint, request).await
    }

    async fn answer(&self, endpoint: &Endpoint, request: Request) -> Answer {
        let client = if endpoint.allows_private() {
            &self.free
        } else {
            &self.guarded
        };
        match client.execute(request).await {
            Ok(response) => answer::heard(endpoint, response).await,
            Err(fault) => answer::failed(endpoint, fault),
        }
    }

    /// Asks for an address, once: to be heard of there is all it is for.
    pub async fn ping(&self, endpoint: &Endpoint) -> Answer {
        let request = Request::new(Method::GET, endpoint.address());
        self.answer(endpoint, request).await
    }

    fn request(&self, endpoint: &Endpoint, alert: &Alert) -> Result<Request, String> {
        if alert.key.is_empty() || alert.key.len() > LONGEST_KEY {
            return Err(format!("its key has not 1 to {LONGEST_KEY} bytes"));
        }
        let body = self.bodies.of(endpoint, alert);
        let body = body.map_err(|fault| telemetry::chain(&fault))?;
        let mut request = Request::new(Method::POST, endpoint.address());
        let headers = request.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        if let Some(bearer) = endpoint.bearer() {
            headers.insert(reqwest::header::AUTHORIZATION, bearer);
        }
        *request.body_mut() = Some(body.into());
        Ok(request)
    }
}

/// A client that follows nobody elsewhere and keeps no connection: one that was kept may have been ended
/// by the other side, and then nobody knows what became of the alert.
fn client(
    lookup: &Arc<dyn Lookup>,
    patience: Patience,
    is_guarded: bool,
) -> Result<Client, WebhookError> {
    Client::builder()
        .user_agent(concat!("tierdesk/", env!("CARGO_PKG_VERSION")))
        .connect_timeout(patience.connect)
        .timeout(patience.whole)
        .redirect(Policy::none())
        // A proxy of the environment would look names up itself, past the guard.
        .no_proxy()
        .https_only(is_guarded)
        .pool_max_idle_per_host(0)
        .dns_resolver(Arc::new(Resolver::new(Arc::clone(lookup), is_guarded)))
        .build()
        .map_err(|fault| WebhookError::Client(telemetry::chain(&fault.without_url())))
}

/// Whether this format's body is written by code and not by a template.
const fn is_coded(format: WebhookFormat) -> bool {
    matches!(format, WebhookFormat::PagerDuty)
}
