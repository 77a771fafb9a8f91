//! What must hold of who is on call.

mod brute;
mod calendar;
mod properties;
mod rules;
