//! Tokens of other people's services.

use super::{ALNUM, BASE64, LOWER_HEX, Seed, chars, jwt, prefixed, seed};
use crate::masking::SecretKind::{
    ApiToken, AzureStorageKey, DiscordToken, DiscordWebhook, GitHubToken, GitLabToken,
    GoogleApiKey, JsonWebToken, NpmToken, PyPiToken, SendGridKey, SlackToken, SlackWebhook,
    StripeKey, TwilioKey,
};

pub(super) fn services() -> Vec<Seed> {
    vec![
        seed(
            "personal",
            GitHubToken,
            prefixed(["gh", "p_"], ALNUM, 36),
            "token: {}",
        ),
        seed(
            "OAuth",
            GitHubToken,
            prefixed(["gh", "o_"], ALNUM, 36),
            "{}",
        ),
        seed(
            "user",
            GitHubToken,
            prefixed(["gh", "u_"], ALNUM, 36),
            "{}.",
        ),
        seed(
            "server",
            GitHubToken,
            prefixed(["gh", "s_"], ALNUM, 36),
            "({})",
        ),
        seed(
            "refresh",
            GitHubToken,
            prefixed(["gh", "r_"], ALNUM, 36),
            "<{}>",
        ),
        seed(
            "fine-grained",
            GitHubToken,
            prefixed(["github", "_pat_"], ALNUM, 82),
            "{}",
        ),
        seed(
            "GitLab",
            GitLabToken,
            prefixed(["gl", "pat-"], ALNUM, 20),
            "{}",
        ),
        seed(
            "Slack bot",
            SlackToken,
            prefixed(["xo", "xb-"], ALNUM, 50),
            "{}",
        ),
        seed(
            "Slack user",
            SlackToken,
            prefixed(["xo", "xp-"], ALNUM, 50),
            "{}",
        ),
        seed(
            "Slack app",
            SlackToken,
            prefixed(["xa", "pp-"], ALNUM, 50),
            "{}",
        ),
    ]
}

pub(super) fn payments_and_packages() -> Vec<Seed> {
    vec![
        seed(
            "Slack hook",
            SlackWebhook,
            format!(
                "T0{}/B0{}/{}",
                chars(ALNUM, 8, 1),
                chars(ALNUM, 8, 2),
                chars(ALNUM, 24, 3)
            ),
            "https://hooks.slack.com/services/{}",
        ),
        seed(
            "live",
            StripeKey,
            prefixed(["sk_", "live_"], ALNUM, 24),
            "{}",
        ),
        seed(
            "restricted",
            StripeKey,
            prefixed(["rk_", "live_"], ALNUM, 24),
            "{}",
        ),
        seed(
            "test",
            StripeKey,
            prefixed(["sk_", "test_"], ALNUM, 24),
            "STRIPE={}",
        ),
        seed(
            "Google",
            GoogleApiKey,
            prefixed(["AI", "za"], ALNUM, 35),
            "?key={}&x=1",
        ),
        seed(
            "npm",
            NpmToken,
            prefixed(["np", "m_"], ALNUM, 36),
            "_authToken={}",
        ),
    ]
}

pub(super) fn more_services() -> Vec<Seed> {
    let dots = |lengths: &[usize]| -> String {
        let parts: Vec<String> = lengths
            .iter()
            .enumerate()
            .map(|(n, l)| chars(ALNUM, *l, 80 + n as u64))
            .collect();
        parts.join(".")
    };
    vec![
        seed("PyPI", PyPiToken, prefixed(["py", "pi-"], ALNUM, 160), "{}"),
        seed(
            "SendGrid",
            SendGridKey,
            format!("S{}{}", "G.", dots(&[22, 43])),
            "{}",
        ),
        seed(
            "Twilio",
            TwilioKey,
            prefixed(["S", "K"], LOWER_HEX, 32),
            "sid {}",
        ),
        seed(
            "bot",
            DiscordToken,
            format!("M{}", dots(&[23, 6, 38])),
            "DISCORD={}",
        ),
        seed(
            "bot, other",
            DiscordToken,
            format!("O{}", dots(&[25, 6, 27])),
            "it is {} now",
        ),
        seed(
            "hook",
            DiscordWebhook,
            format!("{}/{}", chars(b"123456789", 18, 5), chars(ALNUM, 68, 6)),
            "https://discord.com/api/webhooks/{}",
        ),
        seed(
            "Azure",
            AzureStorageKey,
            format!("{}==", chars(BASE64, 86, 7)),
            "DefaultEndpointsProtocol=https;AccountName=x;AccountKey={};EndpointSuffix=y",
        ),
        seed(
            "Anthropic",
            ApiToken,
            prefixed(["sk-", "ant-"], ALNUM, 60),
            "{}",
        ),
        seed(
            "Vault",
            ApiToken,
            prefixed(["hv", "s."], ALNUM, 90),
            "VAULT: {}",
        ),
        seed("token of three parts", JsonWebToken, jwt(2), "session={};"),
        seed(
            "token in a header",
            JsonWebToken,
            jwt(2),
            "Authorization: Bearer {}",
        ),
        seed("token of five parts", JsonWebToken, jwt(4), "{}"),
    ]
}
