//! Amazon's cloud behind the port `tierdesk_core::cloud`.
//!
//! What always holds:
//!
//! - Nothing is changed before the organisation is known to be the configured one: the clients that
//!   may change something come from `AwsCloud::changing` only, which looks once a process.
//! - A change is sent once. The clients for changes have the SDK's retries off, because a second
//!   send after a lost answer makes a second account; those for reads keep them.
//! - A list is whole: pages are read until there is no token, empty ones too.
//!
//! To add an operation: an inherent function beside its like in one of the files below, and its
//! line in `port.rs`; then the test server's machine and `tests/tests/it/aws` know it too.

mod accounts;
mod center;
mod connection;
mod failure;
mod people;
mod policies;
mod port;
mod tree;

pub use connection::{Connection, Keys, Patience};
use tierdesk_core::{
    cloud::{CloudError, Organization},
    settings::AwsSettings,
};
use tokio::sync::OnceCell;

use self::connection::{Clients, Links};

/// An organisation at AWS.
#[derive(Debug)]
pub struct AwsCloud {
    /// Ask again by themselves.
    reading: Clients,
    /// Send once.
    changing: Clients,
    /// `aws`, `aws-us-gov` or `aws-cn`: the second part of every ARN.
    partition: &'static str,
    /// The organisation that may be changed.
    allowed: Option<String>,
    patience: Patience,
    /// Set once the organisation was seen to be the allowed one.
    checked: OnceCell<()>,
    /// The organisation does not change while this process runs.
    organization: OnceCell<Organization>,
}

impl AwsCloud {
    /// Makes the clients; nothing is sent yet. Credentials come from where AWS's own programs take
    /// them, as docs/aws.md lists.
    pub async fn connect(settings: &AwsSettings) -> Self {
        Self::connect_with(settings, Connection::default()).await
    }

    /// The same with other patience, or with keys of one's own: training organisations and tests.
    pub async fn connect_with(settings: &AwsSettings, connection: Connection) -> Self {
        let Links { reading, changing } = connection::links(settings, &connection).await;
        Self {
            reading,
            changing,
            partition: partition(&settings.org_region),
            allowed: settings.organization_id.clone(),
            patience: connection.patience,
            checked: OnceCell::new(),
            organization: OnceCell::new(),
        }
    }

    /// The clients that may change something, once the organisation was seen to be the one that
    /// the configuration names. What is refused here was not sent.
    async fn changing(&self) -> Result<&Clients, CloudError> {
        let check = || async {
            let Some(allowed) = &self.allowed else {
                return Err(CloudError::person(
                    "Nothing was changed at AWS: aws.organization_id is not set. Set it to the id \
                     that `aws organizations describe-organization` shows for the organisation \
                     that tierdesk may change",
                ));
            };
            let found = self.known_organization().await?;
            if found.id != *allowed {
                return Err(CloudError::person(format!(
                    "Nothing was changed at AWS: the credentials belong to the organisation {}, \
                     and aws.organization_id names {allowed}. Use credentials of that \
                     organisation's management account, or correct the setting",
                    found.id
                )));
            }
            Ok(())
        };
        self.checked.get_or_try_init(check).await?;
        Ok(&self.changing)
    }

    async fn known_organization(&self) -> Result<&Organization, CloudError> {
        let ask = || self.describe_organization();
        self.organization.get_or_try_init(ask).await
    }
}

/// The partition that a region lies in.
fn partition(region: &str) -> &'static str {
    if region.starts_with("us-gov-") {
        "aws-us-gov"
    } else if region.starts_with("cn-") {
        "aws-cn"
    } else {
        "aws"
    }
}

#[cfg(test)]
mod tests {
    use super::partition;

    #[test]
    fn a_region_says_its_partition() {
        assert_eq!(partition("us-east-1"), "aws");
        assert_eq!(partition("us-gov-west-1"), "aws-us-gov");
        assert_eq!(partition("cn-north-1"), "aws-cn");
    }
}
