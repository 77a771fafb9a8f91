//! The clients: one set that asks again by itself, for reads, and one that sends once, for changes.

use std::{fmt, time::Duration};

use aws_config::{BehaviorVersion, Region, SdkConfig, retry::RetryConfig, timeout::TimeoutConfig};
use aws_credential_types::Credentials;
use aws_smithy_http_client::{
    Builder,
    tls::{Provider, rustls_provider::CryptoMode},
};
use tierdesk_core::settings::AwsSettings;

/// How a connection is made.
#[derive(Clone, Debug, Default)]
pub struct Connection {
    /// Instead of those that are found where AWS's own programs look.
    pub keys: Option<Keys>,
    /// How long is waited for what.
    pub patience: Patience,
}

/// An access key. Debug shows its id only.
#[derive(Clone)]
pub struct Keys {
    /// `AKIA…` or `ASIA…`.
    pub id: String,
    /// The secret half.
    pub secret: String,
    /// With temporary keys.
    pub session_token: Option<String>,
}

impl fmt::Debug for Keys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Keys")
            .field("id", &self.id)
            .finish_non_exhaustive()
    }
}

/// How long is waited for AWS.
#[derive(Clone, Copy, Debug)]
pub struct Patience {
    /// For a connection.
    pub connect: Duration,
    /// For the answer to a change, or to one try of a read.
    pub answer: Duration,
    /// For a read with its tries and pages.
    pub read: Duration,
    /// Before a read's second try; it doubles from there, with some chance in it.
    pub retry: Duration,
}

impl Default for Patience {
    /// An instance of IAM Identity Center with 2,000 permission sets is read at 20 calls a second,
    /// which AWS allows for all of its callers together.
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(5),
            answer: Duration::from_secs(30),
            read: Duration::from_mins(3),
            retry: Duration::from_secs(1),
        }
    }
}

/// A client for each service.
#[derive(Clone, Debug)]
pub(super) struct Clients {
    pub(super) organizations: aws_sdk_organizations::Client,
    pub(super) center: aws_sdk_ssoadmin::Client,
    pub(super) store: aws_sdk_identitystore::Client,
    pub(super) tokens: aws_sdk_sts::Client,
}

/// Both sets.
pub(super) struct Links {
    pub(super) reading: Clients,
    pub(super) changing: Clients,
}

/// The SDK would bring a second TLS stack, or none at all: the client is named here, on ring.
pub(super) async fn links(settings: &AwsSettings, connection: &Connection) -> Links {
    let http = Builder::new()
        .tls_provider(Provider::Rustls(CryptoMode::Ring))
        .build_https();
    let patience = connection.patience;
    let timeouts = TimeoutConfig::builder()
        .connect_timeout(patience.connect)
        .operation_attempt_timeout(patience.answer)
        .operation_timeout(patience.read);
    let mut loader = aws_config::defaults(BehaviorVersion::latest())
        .http_client(http)
        .region(Region::new(settings.org_region.clone()))
        .timeout_config(timeouts.build());
    if let Some(url) = &settings.endpoint_url {
        loader = loader.endpoint_url(url);
    }
    if let Some(keys) = &connection.keys {
        loader = loader.credentials_provider(Credentials::new(
            &keys.id,
            &keys.secret,
            keys.session_token.clone(),
            None,
            "tierdesk",
        ));
    }
    let config = loader.load().await;
    let retries = RetryConfig::standard().with_initial_backoff(patience.retry);
    let clients = |retries: RetryConfig| Clients::new(&config, settings, retries);
    Links {
        reading: clients(retries),
        changing: clients(RetryConfig::disabled()),
    }
}

impl Clients {
    fn new(config: &SdkConfig, settings: &AwsSettings, retries: RetryConfig) -> Self {
        let organizations = config.to_builder().retry_config(retries).build();
        let identity = organizations
            .to_builder()
            .region(Region::new(settings.sso_region.clone()))
            .build();
        Self {
            organizations: aws_sdk_organizations::Client::new(&organizations),
            center: aws_sdk_ssoadmin::Client::new(&identity),
            store: aws_sdk_identitystore::Client::new(&identity),
            tokens: aws_sdk_sts::Client::new(&organizations),
        }
    }
}
