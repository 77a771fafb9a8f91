//! Answering customers: whole conversations, receipts, and what must never leave.

mod receipts;
mod recipients;
mod replies;
mod staff;
mod work;
