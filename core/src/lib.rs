//! The desk itself: customers, tiers, tickets, jobs, audit and the store they live in.
//!
//! Domain modules are pure: no I/O and no clock of their own. `desk` holds the use cases, one a
//! file; `store` is the only place that knows SQL. ARCHITECTURE.md is the map.

pub mod clock;
pub mod mail;
pub mod masking;
pub mod settings;
pub mod tiers;
