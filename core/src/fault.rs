//! Named fault points, for the crash tests. Without the `testing` feature they are nothing.
//!
//! `TIERDESK_FAULT=name:3` ends the process at the third hit of `name`, as a power cut would: no
//! destructor runs, nothing is flushed. `TIERDESK_FAULT_LOG=file` gets a line for each hit of any
//! point, so that a test can show that the point it cut at was reached.

/// A place where the crash tests may cut.
#[cfg(not(feature = "testing"))]
#[inline]
pub fn point(_name: &'static str) {}

/// A place where the crash tests may cut.
#[cfg(feature = "testing")]
#[expect(
    clippy::disallowed_methods,
    reason = "test-only switches, not settings"
)]
pub fn point(name: &'static str) {
    use std::{collections::HashMap, io::Write as _, sync::Mutex};
    static HITS: Mutex<Option<HashMap<&'static str, u64>>> = Mutex::new(None);
    let hits = {
        let mut all = HITS
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner);
        let hits = all.get_or_insert_default().entry(name).or_insert(0);
        *hits += 1;
        *hits
    };
    if let Ok(path) = std::env::var("TIERDESK_FAULT_LOG") {
        let log = std::fs::OpenOptions::new()
            .create(true)
            .append(true)
            .open(path);
        if let Ok(mut log) = log {
            // One write, so that lines of several processes do not mix.
            let _ = log.write_all(format!("{name} {hits}\n").as_bytes());
        }
    }
    if std::env::var("TIERDESK_FAULT").is_ok_and(|fault| fault == format!("{name}:{hits}")) {
        std::process::abort();
    }
}
