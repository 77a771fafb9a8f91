//! The desk in Discord, against a Discord that keeps state.

mod canary;
mod faults;
mod gateway;
mod rights;
mod setup;
mod story;
