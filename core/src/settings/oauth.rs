//! `[oauth.microsoft]` and `[oauth.google]`: where tokens for mailboxes come from.

use super::{Key, problem::Wrong, reader::Section, secret::Secret, url};
use crate::mail::Provider;

pub(super) const KEYS: &[Key] = &[
    Key::now(
        "oauth.microsoft.client_id",
        "the application's id at the provider",
        "none",
    ),
    Key::now(
        "oauth.microsoft.client_secret",
        "the application's secret, where it has one; or client_secret_file",
        "none",
    ),
    Key::now(
        "oauth.microsoft.client_secret_file",
        "the file that holds client_secret",
        "none",
    ),
    Key::now(
        "oauth.microsoft.device_url",
        "where a device asks for a code (RFC 8628)",
        MICROSOFT_DEVICE,
    ),
    Key::now(
        "oauth.microsoft.token_url",
        "where tokens come from",
        MICROSOFT_TOKEN,
    ),
    Key::now(
        "oauth.microsoft.scope",
        "what is asked for",
        MICROSOFT_SCOPE,
    ),
    Key::now(
        "oauth.google.client_id",
        "the application's id at the provider",
        "none",
    ),
    Key::now(
        "oauth.google.client_secret",
        "the application's secret; or client_secret_file",
        "none",
    ),
    Key::now(
        "oauth.google.client_secret_file",
        "the file that holds client_secret",
        "none",
    ),
    Key::now(
        "oauth.google.device_url",
        "where a device asks for a code (RFC 8628)",
        GOOGLE_DEVICE,
    ),
    Key::now(
        "oauth.google.token_url",
        "where tokens come from",
        GOOGLE_TOKEN,
    ),
    Key::now("oauth.google.scope", "what is asked for", GOOGLE_SCOPE),
];

const MICROSOFT_DEVICE: &str =
    "https://login.microsoftonline.com/organizations/oauth2/v2.0/devicecode";
const MICROSOFT_TOKEN: &str = "https://login.microsoftonline.com/organizations/oauth2/v2.0/token";
const MICROSOFT_SCOPE: &str = "https://outlook.office.com/IMAP.AccessAsUser.All https://outlook.office.com/SMTP.Send offline_access";
const GOOGLE_DEVICE: &str = "https://oauth2.googleapis.com/device/code";
const GOOGLE_TOKEN: &str = "https://oauth2.googleapis.com/token";
/// One scope for IMAP and SMTP both.
const GOOGLE_SCOPE: &str = "https://mail.google.com/";

/// `[oauth]`
#[derive(Clone, Debug)]
pub struct OAuthSettings {
    /// `[oauth.microsoft]`
    pub microsoft: OAuthClient,
    /// `[oauth.google]`
    pub google: OAuthClient,
}

/// An application at a provider.
#[derive(Clone, Debug)]
pub struct OAuthClient {
    /// Whose.
    pub provider: Provider,
    /// Its id there.
    pub client_id: Option<String>,
    /// Its secret, where it has one.
    pub client_secret: Option<Secret>,
    /// Where a device asks for a code.
    pub device_url: String,
    /// Where tokens come from.
    pub token_url: String,
    /// What is asked for.
    pub scope: String,
}

impl OAuthSettings {
    /// The application at this provider.
    pub fn of(&self, provider: Provider) -> &OAuthClient {
        match provider {
            Provider::Microsoft => &self.microsoft,
            Provider::Google => &self.google,
        }
    }
}

pub(super) fn read(section: &Section<'_>) -> OAuthSettings {
    let microsoft = read_client(
        &section.section("microsoft"),
        Provider::Microsoft,
        [MICROSOFT_DEVICE, MICROSOFT_TOKEN, MICROSOFT_SCOPE],
    );
    let google = read_client(
        &section.section("google"),
        Provider::Google,
        [GOOGLE_DEVICE, GOOGLE_TOKEN, GOOGLE_SCOPE],
    );
    section.finish();
    OAuthSettings { microsoft, google }
}

fn read_client(section: &Section<'_>, provider: Provider, usual: [&str; 3]) -> OAuthClient {
    let [device, token, scope] = usual;
    let endpoint = |name, usual: &str| {
        section
            .parse(name, endpoint)
            .map_or_else(|| usual.to_owned(), |given| given.value)
    };
    let client = OAuthClient {
        provider,
        client_id: section.text("client_id").map(|given| given.value),
        client_secret: section.secret("client_secret").map(|given| given.value),
        device_url: endpoint("device_url", device),
        token_url: endpoint("token_url", token),
        scope: section
            .text("scope")
            .map_or_else(|| scope.to_owned(), |given| given.value),
    };
    section.finish();
    client
}

/// Tokens travel there: TLS, or this machine.
fn endpoint(text: &str) -> Result<String, Wrong> {
    let text = url::check(text, &["https", "http"])?;
    let host = text.strip_prefix("http://").map(|rest| {
        let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
        authority
            .rsplit_once(':')
            .map_or(authority, |(host, _)| host)
    });
    match host {
        None | Some("127.0.0.1" | "[::1]" | "localhost") => Ok(text.to_owned()),
        Some(_) => Err(Wrong::new(
            "would send a token in the clear",
            "Write https://HOST/PATH.",
        )),
    }
}
