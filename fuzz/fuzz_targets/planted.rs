#![no_main]

use libfuzzer_sys::fuzz_target;
use tierdesk_fuzz::{hold_panics, planted, run};

fuzz_target!(init: hold_panics(), |data: &[u8]| run(planted, data));
