// SPDX-License-Identifier: Apache-2.0
//! Waiting for something to become true, and which processes belong to an instance.
#![allow(dead_code, clippy::panic, unreachable_pub)] // each test file uses some of it

use std::fs;
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

/// Asks again until `probe` has an answer; fails the test, saying `what`, when it has none within 30 s.
pub fn eventually<T>(what: &str, mut probe: impl FnMut() -> Option<T>) -> T {
    let deadline = Instant::now() + Duration::from_secs(30);
    loop {
        if let Some(answer) = probe() {
            return answer;
        }
        assert!(Instant::now() < deadline, "not within 30 s: {what}");
        thread::sleep(Duration::from_millis(50));
    }
}

/// The command lines of the living processes that name `dir`: the programs of that instance and their guards.
/// A zombie has no command line and does not count.
pub fn processes_in(dir: &Path) -> Vec<String> {
    let dir = dir.to_string_lossy();
    let Ok(entries) = fs::read_dir("/proc") else { panic!("no /proc") };
    entries
        .flatten()
        .filter_map(|entry| fs::read(entry.path().join("cmdline")).ok())
        .map(|line| String::from_utf8_lossy(&line).replace('\0', " "))
        .filter(|line| line.contains(dir.as_ref()))
        .collect()
}

/// Waits until no process of the instance in `dir` is left.
pub fn all_ended(dir: &Path) {
    eventually("every process of the instance has ended", || processes_in(dir).is_empty().then_some(()));
}
