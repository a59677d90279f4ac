//! What interpreters write, with whatever else is written between their answers.
#![no_main]

use std::collections::HashMap;
use std::sync::Mutex;

#[path = "../../crates/tester/src/runners/python/fork/protocol.rs"]
#[allow(dead_code, reason = "only what reads is of interest")]
mod protocol;

use protocol::{Routes, Waiting, deliver};

/// No script knows it.
const SECRET: &str = "0123456789abcdef0123456789abcdef";

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    // Of a line that has begun, nothing is an answer.
    let (before, behind) = bytes.split_at(bytes.len() / 2);
    let answer = format!("\n\u{1e}{{\"run\": 1, \"status\": 3, \"secret\": \"{SECRET}\"}}\n");
    let written = [before, answer.as_bytes(), behind].concat();
    let (sender, receiver) = crossbeam_channel::bounded(8);
    let waiting = Waiting { secret: SECRET.to_owned(), sender };
    let routes = Mutex::new(Routes { runs: HashMap::from([(1, waiting)]), ..Routes::default() });
    deliver(written.as_slice(), &routes);
    let statuses: Vec<_> = receiver.try_iter().map(|answer| answer.status).collect();
    assert_eq!(statuses, [Some(3)], "the one right answer is handed out once");
});
