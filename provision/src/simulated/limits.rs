//! Rates: a bucket of tokens for each service, filled by time.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use tierdesk_core::clock::Timestamp;

use super::{AwsFault, Service};

/// How many calls AWS takes. Those of Organizations are not published: these are what others met.
/// IAM Identity Center publishes 20 a second for all of its operations together.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Limits {
    /// Calls a second, and at once, to Organizations.
    pub organizations: (f64, f64),
    /// The same for IAM Identity Center with its store.
    pub identity: (f64, f64),
    buckets: BTreeMap<String, (f64, Timestamp)>,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            organizations: (5.0, 20.0),
            identity: (20.0, 20.0),
            buckets: BTreeMap::new(),
        }
    }
}

impl Limits {
    pub(super) fn take(&mut self, service: Service, now: Timestamp) -> Result<(), AwsFault> {
        let (name, code, (rate, burst)) = match service {
            Service::Sts => return Ok(()),
            Service::Organizations => (
                "organizations",
                "TooManyRequestsException",
                self.organizations,
            ),
            Service::IdentityCenter | Service::IdentityStore => {
                ("identity", "ThrottlingException", self.identity)
            }
        };
        let bucket = self.buckets.entry(name.to_owned()).or_insert((burst, now));
        let refilled = bucket.0 + rate * now.since(bucket.1).as_secs_f64();
        *bucket = (refilled.min(burst), now);
        if bucket.0 < 1.0 {
            return Err(AwsFault::new(
                code,
                "you have sent too many requests in too short a period of time",
            ));
        }
        bucket.0 -= 1.0;
        Ok(())
    }
}
