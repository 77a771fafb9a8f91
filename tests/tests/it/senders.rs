//! Who really sent it: what is believed of a sender, and what is not, through the whole of ingest.

mod authentication_results;
mod dns;
mod edge;
