//! What a run of a program costs: time, and the most memory it had.

use std::{
    fs,
    process::{Command, Output},
    thread,
    time::{Duration, Instant},
};

/// The cost of one process.
#[derive(Clone, Copy, Debug)]
pub struct Cost {
    /// From its start to its end.
    pub seconds: f64,
    /// The peak of its resident memory (VmHWM), in MB of 1,048,576 bytes.
    pub memory_mb: u64,
}

/// Runs a command to its end. Its streams must be set up.
///
/// The kernel's high-water mark is looked at a thousand times a second, as it goes with the process:
/// what is missed is what grew in the last millisecond, a few MB at most. What `wait4` counts is of
/// no use, because it begins with what the parent had.
pub fn measured(command: &mut Command) -> (Output, Cost) {
    let began = Instant::now();
    let child = command.spawn().expect("the program starts");
    let status = format!("/proc/{}/status", child.id());
    let waiting = thread::spawn(move || child.wait_with_output().expect("the program ends"));
    let mut peak = 0;
    while !waiting.is_finished() {
        peak = peak.max(high_water(&status));
        thread::sleep(Duration::from_millis(1));
    }
    let seconds = began.elapsed().as_secs_f64();
    let output = waiting.join().expect("waiting does not panic");
    assert!(peak > 0, "it ended before it was looked at: {output:?}");
    let memory_mb = peak.div_ceil(1_024);
    (output, Cost { seconds, memory_mb })
}

/// In KB; 0 of a process that has ended.
fn high_water(status: &str) -> u64 {
    let text = fs::read_to_string(status).unwrap_or_default();
    let line = text.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let number = line.and_then(|rest| rest.split_whitespace().next());
    number.and_then(|kb| kb.parse().ok()).unwrap_or(0)
}
