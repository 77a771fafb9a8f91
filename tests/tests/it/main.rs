//! The store contract: one list of tests, run on both databases.

mod contract;
