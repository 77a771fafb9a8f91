//! Answering customers: whole conversations, receipts, and what must never leave.

mod bounces;
mod receipts;
mod recipients;
mod replies;
mod work;
