//! What the store and the use cases on it promise, whichever database is underneath.

mod arrivals;
mod batches;
mod claims;
mod directory;
mod numbers;
mod opening;
mod queue;
mod sameness;
mod schema;
mod scope;
mod sealing;
mod statements;
mod threading;
mod unit_of_work;
mod values;
mod workers;
