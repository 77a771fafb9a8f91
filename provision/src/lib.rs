//! The cloud: AWS Organizations and IAM Identity Center behind the port `tierdesk_core::cloud`, a
//! simulated one, and the doing of onboardings.
//!
//! `observe` looks, `act` changes, `run` ties both to a run's rows as jobs, `verify` compares
//! without changing. Deciding is `tierdesk_core::onboarding`'s. Nothing here calls the cloud inside a
//! unit of work. To add a step: its name there, its part in `observe` and its arm in `act`.

mod account;
mod act;
mod assignments;
pub mod aws;
mod observe;
mod run;
pub mod simulated;
mod simulated_cloud;
mod verify;

pub use observe::{Part, observe};
pub use run::{ObserveCloud, ProvisionStep};
pub use simulated_cloud::SimulatedCloud;
pub use verify::{Difference, VerifyReport, verify};
