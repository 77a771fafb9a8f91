//! The fake Discord is held to its own word: each rule is shown to fire, and what it answers is held
//! against the published schema.

mod answers;
mod commands;
mod gateway;
mod guild;
mod limits;
mod others;
mod schema;
mod threads;
mod trouble;
mod wire;
