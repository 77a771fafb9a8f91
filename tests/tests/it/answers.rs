//! Answering customers: whole conversations, receipts, and what must never leave.

mod bounces;
mod dismiss;
mod export;
mod loops;
mod macros;
mod receipts;
mod recipients;
mod replies;
mod retention;
mod staff;
mod work;
