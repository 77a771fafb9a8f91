//! The desk itself: customers, tiers, tickets, jobs, audit and the store they live in.
//!
//! Domain modules are pure: no I/O and no clock of their own. `desk` holds the use cases, one a
//! file; `store` is the only place that knows SQL. ARCHITECTURE.md is the map.

pub mod audit;
pub mod authentication;
pub mod chat;
pub mod clock;
pub mod cloud;
pub mod customers;
pub mod desk;
pub mod disclosure;
pub mod discord;
pub mod error;
pub mod fault;
pub mod ids;
pub mod jobs;
pub mod macros;
pub mod mail;
pub mod masking;
mod named;
pub mod onboarding;
pub mod oncall;
pub mod outgoing;
pub mod paging;
pub mod permit;
pub mod receive;
pub mod refusal;
pub mod reply_token;
pub mod search;
pub mod settings;
pub mod sla;
pub mod staff;
pub mod store;
pub mod telemetry;
pub mod tickets;
pub mod tiers;
pub mod trust;
pub mod watchdog;
