//! What the fuzz targets run. How to add one: CONTRIBUTING.md.

pub mod checks;

use std::{
    panic::{AssertUnwindSafe, catch_unwind, set_hook},
    sync::{Mutex, PoisonError},
};

/// What the last panic said.
static SAID: Mutex<String> = Mutex::new(String::new());

/// To be called once: libFuzzer's own hook ends the process at any panic, also at one of a library
/// that the parser catches and lives with.
pub fn hold_panics() {
    set_hook(Box::new(|panic| {
        let mut said = SAID.lock().unwrap_or_else(PoisonError::into_inner);
        *said = panic.to_string();
    }));
}

/// Runs a check over one input; what it does not hold ends the process, which libFuzzer takes for a
/// crash.
pub fn run(check: fn(&[u8]), data: &[u8]) {
    if catch_unwind(AssertUnwindSafe(|| check(data))).is_err() {
        let said = SAID.lock().unwrap_or_else(PoisonError::into_inner);
        eprintln!("{said}");
        std::process::abort();
    }
}

/// A fault that only somebody finds who is told which branches were taken: by chance four bytes are
/// one in four thousand million.
pub fn planted(data: &[u8]) {
    let mut bytes = data.iter();
    let mut is_next = |wanted: u8| bytes.next() == Some(&wanted);
    if is_next(b'D') && is_next(b'A') && is_next(b'T') && is_next(b'A') {
        panic!("the planted fault was found");
    }
}
