//! What the store and the use cases on it promise, whichever database is underneath.

mod numbers;
mod schema;
mod scope;
mod statements;
mod unit_of_work;
mod values;
