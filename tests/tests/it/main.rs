//! The store contract: one list of tests, run on both databases.
#![expect(clippy::print_stdout, reason = "tests print what they counted")]

mod answers;
mod any_bytes;
mod architecture;
mod aws;
mod chat;
mod contract;
mod crash;
mod fake_discord;
mod http;
mod imap;
mod listener;
mod onboarding;
mod oncall;
mod outbound;
mod paging;
mod program;
mod search;
mod senders;
