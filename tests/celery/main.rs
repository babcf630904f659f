// SPDX-License-Identifier: Apache-2.0
//! Real Celery as the judge of `src/celery`: every release is installed once and asked what it makes of the same texts.
//!
//! Where Python or the packages cannot be had, a test says so in one line and passes without a judgement;
//! `CELERY_JUDGE=required` makes that a failure.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod argv;
mod ask;
mod dice;
mod heartbeat;
mod rendered;
mod sentinel;
mod settings;
mod unfit;
mod urls;
mod venv;
mod verdict;

use std::io::{self, Write};

/// A line on the terminal. The print macros would not do: what they write is swallowed with the output of a test that
/// passes.
fn say(line: &str) {
    io::stderr().write_all(format!("{line}\n").as_bytes()).unwrap();
}

#[test]
fn every_set_of_packages_says_its_version() {
    for pins in venv::RELEASES.iter().chain(venv::FLOWERS) {
        let Some(site) = venv::site(pins) else { continue };
        let line = format!("import {0}; print({0}.__version__)", pins.project);
        let output = site.python().args(["-c", &line]).output().unwrap();
        assert_eq!(String::from_utf8_lossy(&output.stdout).trim(), pins.version, "{output:?}");
    }
}
