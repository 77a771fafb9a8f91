//! What the store and the use cases on it promise, whichever database is underneath.

mod arrivals;
mod attachments;
mod audit;
mod batches;
mod claims;
mod dead_letters;
mod dice;
mod directory;
mod lists;
mod numbers;
mod opening;
pub(crate) mod permits;
mod queue;
mod sameness;
mod schema;
mod scope;
mod sealing;
mod statements;
mod tampering;
mod threading;
mod unit_of_work;
mod use_cases;
mod values;
mod workers;
