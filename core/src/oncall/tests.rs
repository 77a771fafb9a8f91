//! What must hold of who is on call.

mod brute;
