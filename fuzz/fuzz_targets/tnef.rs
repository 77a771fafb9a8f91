#![no_main]

use libfuzzer_sys::fuzz_target;
use tierdesk_fuzz::{checks::tnef, hold_panics, run};

fuzz_target!(init: hold_panics(), |data: &[u8]| run(tnef, data));
