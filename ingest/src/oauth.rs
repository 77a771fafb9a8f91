//! Tokens in the place of passwords: a person grants them once (device flow, RFC 8628), the refresh
//! token is kept sealed, and access tokens are renewed before they end and kept in memory only.
//!
//! A provider that says the grant is over ends it: that is written down, and whoever reads the
//! mailbox fails until somebody grants again.

use std::{collections::HashMap, time::Duration};

use serde::Deserialize;
use tierdesk_core::{
    desk::{
        self, Desk,
        mailboxes::{self, Renewal},
    },
    mail::Provider,
    settings::{OAuthClient, OAuthSettings, Secret},
};
use tokio::{sync::Mutex, time::Instant};

use crate::process::INGEST;

/// How long a request may take.
const REQUEST: Duration = Duration::from_secs(20);
/// How long before its end an access token is renewed.
const EARLY: Duration = Duration::from_mins(5);
/// How long a token lasts that says nothing of it (RFC 6749 recommends to say).
const UNSAID: u64 = 600;
/// The longest answer that is read, in bytes.
const ANSWER: usize = 64 * 1024;
/// How long a person has where the provider does not say.
const DEVICE_SECONDS: u64 = 900;

/// Why there is no token.
#[derive(Debug, thiserror::Error)]
pub enum TokenError {
    /// Nobody granted one.
    #[error(
        "nobody granted a token for {account}; run: tierdesk mail connect {provider} --account {account}"
    )]
    Missing {
        /// Whose.
        provider: Provider,
        /// For which login name.
        account: String,
    },
    /// The application is not known.
    #[error("oauth.{0}.client_id is not set; docs/mail.md says how to get one")]
    NoClient(Provider),
    /// The provider takes the grant no more.
    #[error(
        "{provider} takes the grant for {account} no more ({reason}); run: tierdesk mail connect {provider} --account {account}"
    )]
    Over {
        /// Whose.
        provider: Provider,
        /// For which login name.
        account: String,
        /// The provider's word for it.
        reason: String,
    },
    /// The provider says no to a request.
    #[error("{provider} refuses: {reason}")]
    Refused {
        /// Who.
        provider: Provider,
        /// The provider's words.
        reason: String,
    },
    /// The provider cannot be reached, or is in trouble.
    #[error("{provider} cannot be reached or does not answer as it should: {reason}")]
    Away {
        /// Who.
        provider: Provider,
        /// How.
        reason: String,
    },
    /// The person took too long.
    #[error("nobody agreed in time; nothing was stored")]
    TooLate,
    /// The desk's own database.
    #[error("the desk could not look the grant up")]
    Desk(#[from] desk::Error),
}

impl TokenError {
    /// Trying again is of no use before a person did something.
    pub fn needs_a_person(&self) -> bool {
        !matches!(self, Self::Away { .. } | Self::Desk(_))
    }
}

/// Access tokens, as far as they are known, and where to get others.
#[derive(Debug)]
pub struct Tokens {
    http: reqwest::Client,
    settings: OAuthSettings,
    known: Mutex<HashMap<(Provider, String), (Secret, Instant)>>,
}

#[derive(Deserialize)]
struct TokenAnswer {
    access_token: Option<String>,
    refresh_token: Option<String>,
    expires_in: Option<Seconds>,
    scope: Option<String>,
    error: Option<String>,
    error_description: Option<String>,
}

#[derive(Deserialize)]
struct DeviceAnswer {
    device_code: Option<String>,
    user_code: Option<String>,
    #[serde(alias = "verification_url")]
    verification_uri: Option<String>,
    expires_in: Option<Seconds>,
    interval: Option<Seconds>,
    error: Option<String>,
    error_description: Option<String>,
}

/// A number, which some servers write as text.
#[derive(Clone, Copy, Deserialize)]
#[serde(untagged)]
enum Seconds {
    Number(u64),
    #[serde(deserialize_with = "digits")]
    Text(u64),
}

fn digits<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<u64, D::Error> {
    let text = String::deserialize(deserializer)?;
    text.parse().map_err(serde::de::Error::custom)
}

impl Seconds {
    fn get(self) -> u64 {
        let (Self::Number(seconds) | Self::Text(seconds)) = self;
        seconds
    }
}

/// What a person has to do at the provider.
#[derive(Debug)]
pub struct DeviceCode {
    /// Where to go.
    pub url: String,
    /// What to type there.
    pub code: String,
    /// How long that is good for.
    pub lasts: Duration,
    device: Secret,
    every: Duration,
}

/// What a person granted.
#[derive(Debug)]
pub struct Granted {
    /// Gives access tokens from now on.
    pub refresh_token: Secret,
    /// What it is good for.
    pub scope: String,
}

/// What a provider answered to a request for a token.
enum Answered {
    Tokens(TokenAnswer),
    Error(String),
}

impl Tokens {
    /// Tokens from the providers of the configuration.
    pub fn new(settings: OAuthSettings) -> Result<Self, TokenError> {
        let provider = std::sync::Arc::new(rustls::crypto::ring::default_provider());
        let mut roots = rustls::RootCertStore::empty();
        roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        let away = |reason: String| TokenError::Away {
            provider: Provider::Microsoft,
            reason,
        };
        let tls = rustls::ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(|fault| away(fault.to_string()))?
            .with_root_certificates(roots)
            .with_no_client_auth();
        let http = reqwest::Client::builder()
            .use_preconfigured_tls(tls)
            .timeout(REQUEST)
            // A token goes to the configured address and nowhere else.
            .redirect(reqwest::redirect::Policy::none())
            .no_proxy()
            .build()
            .map_err(|fault| away(fault.without_url().to_string()))?;
        Ok(Self {
            http,
            settings,
            known: Mutex::new(HashMap::new()),
        })
    }

    /// A token that logs in now.
    pub async fn access(
        &self,
        desk: &Desk,
        provider: Provider,
        account: &str,
    ) -> Result<Secret, TokenError> {
        let key = (provider, account.to_owned());
        // Held over the request: of two readers of one account, one asks.
        let mut known = self.known.lock().await;
        if let Some((token, until)) = known.get(&key)
            && *until > Instant::now()
        {
            return Ok(token.clone());
        }
        let grant = mailboxes::find_grant(desk, provider, account).await?;
        let missing = || TokenError::Missing {
            provider,
            account: account.to_owned(),
        };
        let grant = grant.and_then(|bytes| String::from_utf8(bytes).ok());
        let refresh = Secret::new(grant.ok_or_else(missing)?);
        let client = self.settings.of(provider);
        let fields = [
            ("grant_type", "refresh_token"),
            ("refresh_token", refresh.expose()),
            ("scope", &client.scope),
        ];
        let answer = match self.ask(client, &client.token_url, &fields).await? {
            Answered::Tokens(answer) => answer,
            Answered::Error(reason) => {
                let code = reason.split(':').next().unwrap_or_default();
                if !matches!(code, "invalid_grant" | "interaction_required") {
                    return Err(TokenError::Refused { provider, reason });
                }
                let renewal = Renewal::Refused(reason.clone());
                mailboxes::record_renewal(desk, &INGEST, provider, account, renewal).await?;
                return Err(TokenError::Over {
                    provider,
                    account: account.to_owned(),
                    reason,
                });
            }
        };
        let Some(access) = answer.access_token else {
            let reason = "it gave no access token".to_owned();
            return Err(TokenError::Away { provider, reason });
        };
        // Microsoft gives another one each time; Google keeps the first.
        let next = answer
            .refresh_token
            .unwrap_or_else(|| refresh.expose().to_owned());
        let renewal = Renewal::Renewed(next);
        mailboxes::record_renewal(desk, &INGEST, provider, account, renewal).await?;
        let seconds = answer.expires_in.map_or(UNSAID, Seconds::get);
        let lasts = Duration::from_secs(seconds);
        let access = Secret::new(access);
        let until = Instant::now() + lasts.saturating_sub(EARLY.min(lasts / 2));
        known.insert(key, (access.clone(), until));
        Ok(access)
    }

    /// Forgets an access token that a server refused.
    pub async fn forget(&self, provider: Provider, account: &str) {
        let key = (provider, account.to_owned());
        self.known.lock().await.remove(&key);
    }

    /// Tries a refresh token that somebody got elsewhere.
    pub async fn try_grant(
        &self,
        provider: Provider,
        refresh: &Secret,
    ) -> Result<Granted, TokenError> {
        let client = self.settings.of(provider);
        let fields = [
            ("grant_type", "refresh_token"),
            ("refresh_token", refresh.expose()),
        ];
        match self.ask(client, &client.token_url, &fields).await? {
            Answered::Tokens(answer) => Ok(Granted {
                refresh_token: answer
                    .refresh_token
                    .map_or_else(|| refresh.clone(), Secret::new),
                scope: answer.scope.unwrap_or_else(|| client.scope.clone()),
            }),
            Answered::Error(reason) => Err(TokenError::Refused { provider, reason }),
        }
    }

    /// Asks for a code that a person types in at the provider.
    pub async fn ask_device(&self, provider: Provider) -> Result<DeviceCode, TokenError> {
        let client = self.settings.of(provider);
        let (is_ok, text) = self
            .post(client, &client.device_url, &[("scope", &client.scope)])
            .await?;
        let answer: DeviceAnswer = read(provider, &text)?;
        if let Some(error) = answer.error {
            let reason = in_words(&error, answer.error_description.as_deref());
            return Err(TokenError::Refused { provider, reason });
        }
        match (
            answer.device_code,
            answer.user_code,
            answer.verification_uri,
        ) {
            (Some(device), Some(code), Some(url)) if is_ok => Ok(DeviceCode {
                url: printable(&url),
                code: printable(&code),
                lasts: Duration::from_secs(answer.expires_in.map_or(DEVICE_SECONDS, Seconds::get)),
                device: Secret::new(device),
                every: Duration::from_secs(answer.interval.map_or(5, Seconds::get).clamp(1, 60)),
            }),
            _ => Err(TokenError::Away {
                provider,
                reason: "it gave no code".to_owned(),
            }),
        }
    }

    /// Asks until the person agreed, refused, or took too long.
    pub async fn await_grant(
        &self,
        provider: Provider,
        device: DeviceCode,
    ) -> Result<Granted, TokenError> {
        let client = self.settings.of(provider);
        let until = Instant::now() + device.lasts;
        let mut every = device.every;
        let fields = [
            ("grant_type", "urn:ietf:params:oauth:grant-type:device_code"),
            ("device_code", device.device.expose()),
        ];
        loop {
            tokio::time::sleep(every).await;
            if Instant::now() > until {
                return Err(TokenError::TooLate);
            }
            match self.ask(client, &client.token_url, &fields).await {
                Ok(Answered::Tokens(answer)) => {
                    let Some(refresh) = answer.refresh_token else {
                        let reason =
                            "it gave no refresh token; the scope must ask for one".to_owned();
                        return Err(TokenError::Refused { provider, reason });
                    };
                    return Ok(Granted {
                        refresh_token: Secret::new(refresh),
                        scope: answer.scope.unwrap_or_else(|| client.scope.clone()),
                    });
                }
                Ok(Answered::Error(reason)) => match reason.split(':').next() {
                    Some("authorization_pending") => {}
                    // RFC 8628, 3.5: by five seconds, for good.
                    Some("slow_down") => every += Duration::from_secs(5),
                    Some("expired_token") => return Err(TokenError::TooLate),
                    _ => return Err(TokenError::Refused { provider, reason }),
                },
                // A network that is away for a moment is no answer; ask less often, as the RFC says.
                Err(TokenError::Away { .. }) => every = (every * 2).min(Duration::from_mins(1)),
                Err(error) => return Err(error),
            }
        }
    }

    async fn ask(
        &self,
        client: &OAuthClient,
        url: &str,
        fields: &[(&str, &str)],
    ) -> Result<Answered, TokenError> {
        let provider = client.provider;
        let (is_ok, text) = self.post(client, url, fields).await?;
        let answer: TokenAnswer = read(provider, &text)?;
        match &answer.error {
            Some(error) => Ok(Answered::Error(in_words(
                error,
                answer.error_description.as_deref(),
            ))),
            None if is_ok => Ok(Answered::Tokens(answer)),
            None => Err(TokenError::Away {
                provider,
                reason: "it answered with an error and no reason".to_owned(),
            }),
        }
    }

    /// Posts a form. Returns whether the status was good, and the answer.
    async fn post(
        &self,
        client: &OAuthClient,
        url: &str,
        fields: &[(&str, &str)],
    ) -> Result<(bool, String), TokenError> {
        let provider = client.provider;
        let id = client
            .client_id
            .as_deref()
            .ok_or(TokenError::NoClient(provider))?;
        let mut form: Vec<(&str, &str)> = vec![("client_id", id)];
        if let Some(secret) = &client.client_secret {
            form.push(("client_secret", secret.expose()));
        }
        form.extend(fields);
        let away = |fault: reqwest::Error| TokenError::Away {
            provider,
            reason: tierdesk_core::telemetry::chain(&fault.without_url()),
        };
        let mut response = self.http.post(url).form(&form).send().await.map_err(away)?;
        let status = response.status();
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(away)? {
            body.extend_from_slice(&chunk);
            if body.len() > ANSWER {
                let reason = "its answer is too long".to_owned();
                return Err(TokenError::Away { provider, reason });
            }
        }
        if status.is_server_error() || status == reqwest::StatusCode::TOO_MANY_REQUESTS {
            let reason = format!("status {}", status.as_u16());
            return Err(TokenError::Away { provider, reason });
        }
        Ok((
            status.is_success(),
            String::from_utf8_lossy(&body).into_owned(),
        ))
    }
}

fn read<'t, T: Deserialize<'t>>(provider: Provider, text: &'t str) -> Result<T, TokenError> {
    serde_json::from_str(text).map_err(|_| TokenError::Away {
        provider,
        reason: "its answer is no JSON".to_owned(),
    })
}

/// An error code with what the provider says of it.
fn in_words(code: &str, description: Option<&str>) -> String {
    let mut text = printable(code);
    if let Some(description) = description {
        text.push_str(": ");
        text.push_str(&printable(description));
    }
    text
}

/// What a person's terminal can be shown of an answer.
fn printable(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).take(300).collect()
}
