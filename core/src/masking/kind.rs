//! What kind of secret it was.

use std::fmt;

macro_rules! kinds {
    ($($(#[$doc:meta])+ $kind:ident = $label:literal),+ $(,)?) => {
        /// What kind of secret it was. The label tells people what to revoke.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum SecretKind { $($(#[$doc])+ $kind),+ }

        impl SecretKind {
            /// The words in the replacement.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$kind => $label),+ }
            }

            const ALL: [Self; [$($label),+].len()] = [$(Self::$kind),+];
        }
    };
}

kinds! {
    /// `AKIA…`, `ASIA…`
    AwsAccessKey = "AWS access key",
    /// 40 characters beside a word that says so.
    AwsSecretKey = "AWS secret key",
    /// The third part of temporary credentials.
    AwsSessionToken = "AWS session token",
    /// A PEM, OpenSSH or OpenPGP block.
    PrivateKey = "private key",
    /// `eyJ….….…`
    JsonWebToken = "JSON web token",
    /// `ghp_…` and its siblings.
    GitHubToken = "GitHub token",
    /// `glpat-…`
    GitLabToken = "GitLab token",
    /// `xoxb-…` and its siblings.
    SlackToken = "Slack token",
    /// `hooks.slack.com/services/…`
    SlackWebhook = "Slack webhook",
    /// `sk_live_…` and its siblings.
    StripeKey = "Stripe key",
    /// `AIza…`
    GoogleApiKey = "Google API key",
    /// `npm_…`
    NpmToken = "npm token",
    /// `pypi-…`
    PyPiToken = "PyPI token",
    /// `SG.….…`
    SendGridKey = "SendGrid key",
    /// `SK…`
    TwilioKey = "Twilio key",
    /// A bot's token.
    DiscordToken = "Discord token",
    /// `discord.com/api/webhooks/…`
    DiscordWebhook = "Discord webhook",
    /// `AccountKey=…`
    AzureStorageKey = "Azure storage key",
    /// What follows `password:` and its translations.
    Password = "password",
    /// The password in a URL.
    UrlPassword = "password in a URL",
    /// What follows `Bearer`.
    BearerToken = "bearer token",
    /// What follows `Authorization: Basic`.
    BasicCredentials = "basic credentials",
    /// What follows `api_key=`, `token=`, `client_secret=`, and shapes of other services.
    ApiToken = "API token",
    /// A number that a card could have.
    CardNumber = "payment card number",
}

impl fmt::Display for SecretKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// What every replacement begins with.
pub(super) const OPENING: &str = "[masked: ";

/// The length of the replacement that stands at the begin of `text`. Its words are never looked
/// at again: `[masked: API token]=` is no assignment.
pub(super) fn replacement_length(text: &[u8]) -> Option<usize> {
    let rest = text.strip_prefix(OPENING.as_bytes())?;
    let is_label = |kind: &SecretKind| {
        let label = kind.as_str().as_bytes();
        rest.starts_with(label) && rest.get(label.len()) == Some(&b']')
    };
    let kind = SecretKind::ALL.into_iter().find(|kind| is_label(kind))?;
    Some(OPENING.len() + kind.as_str().len() + 1)
}
