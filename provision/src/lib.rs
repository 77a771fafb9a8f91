//! The cloud: AWS Organizations and IAM Identity Center behind the port `tierdesk_core::cloud`, a
//! simulated one, and the steps of an onboarding.
//!
//! Nothing here runs inside a unit of work. To add a step: its name in `tierdesk_core::onboarding`
//! and its observing and acting halves in `steps`.

pub mod simulated;
