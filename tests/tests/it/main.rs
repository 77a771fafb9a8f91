//! The store contract: one list of tests, run on both databases.

mod architecture;
mod contract;
mod crash;
