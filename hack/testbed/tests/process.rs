// SPDX-License-Identifier: Apache-2.0
//! A process is the real program, can be signalled, and takes its group along.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

mod waiting;

use std::fs;
use std::os::unix::process::ExitStatusExt as _;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use tempfile::TempDir;
use testbed::Process;
use waiting::{all_ended, eventually, processes_in};

const SOON: Duration = Duration::from_secs(20);

fn shell(dir: &TempDir, script: &str) -> Process {
    let mut command = Command::new("/bin/sh");
    // The folder is only there to find the process by it.
    command.args(["-c", script]).arg(dir.path()).env("GREETING", "hello");
    Process::spawn("sh", &command, &dir.path().join("log")).unwrap()
}

fn log_says(process: &Process, text: &str) {
    eventually(text, || fs::read_to_string(process.log()).unwrap().contains(text).then_some(()));
}

fn state(id: u32) -> char {
    let stat = fs::read_to_string(format!("/proc/{id}/stat")).unwrap();
    stat.rsplit_once(") ").unwrap().1.chars().next().unwrap()
}

#[test]
fn it_has_the_id_the_output_and_the_status_of_the_program() {
    let dir = TempDir::new().unwrap();
    let mut process = shell(&dir, "echo $GREETING $$; echo trouble >&2; cat; exit 7");
    assert_eq!(process.wait(SOON).unwrap().code(), Some(7));
    let log = fs::read_to_string(process.log()).unwrap();
    assert_eq!(log, format!("hello {}\ntrouble\n", process.id()));
    assert_eq!(process.try_exit().unwrap().code(), Some(7), "asking again gives the same answer");
    process.kill().expect("a signal after the end is no error");
}

#[test]
fn terminating_asks_and_killing_does_not() {
    let dir = TempDir::new().unwrap();
    let script = "trap 'echo asked; exit 3' TERM; echo started; while :; do sleep 0.05; done";
    let mut process = shell(&dir, script);
    log_says(&process, "started");
    assert!(process.wait(Duration::from_millis(1)).is_none());
    process.terminate().unwrap();
    assert_eq!(process.wait(SOON).unwrap().code(), Some(3));
    log_says(&process, "asked");

    let mut process = shell(&dir, "trap '' TERM; echo deaf; sleep 60");
    log_says(&process, "deaf");
    process.terminate().unwrap();
    process.kill().unwrap();
    assert_eq!(process.wait(SOON).unwrap().signal(), Some(9));
}

#[test]
fn a_frozen_program_goes_on_where_it_was() {
    let dir = TempDir::new().unwrap();
    let process = shell(&dir, "while :; do sleep 0.01; done");
    process.stop().unwrap();
    eventually("the program is frozen", || (state(process.id()) == 'T').then_some(()));
    process.cont().unwrap();
    eventually("the program goes on", || (state(process.id()) != 'T').then_some(()));
}

#[test]
fn grandchildren_end_with_it() {
    let dir = TempDir::new().unwrap();
    let script = "sh -c 'while :; do sleep 1; done' $0 & sh -c 'while :; do sleep 1; done' $0 & wait";
    let process = shell(&dir, script);
    eventually("program, two grandchildren and guard run", || {
        (processes_in(dir.path()).len() == 4).then_some(())
    });
    drop(process);
    all_ended(dir.path());

    let mut process = shell(&dir, "sh -c 'while :; do sleep 1; done' $0 & exit 0");
    assert!(process.wait(SOON).unwrap().success());
    all_ended(dir.path());
}

#[test]
fn a_drop_does_not_wait_for_the_program_to_agree() {
    let dir = TempDir::new().unwrap();
    let process = shell(&dir, "trap '' TERM INT HUP; echo started; while :; do sleep 1; done");
    log_says(&process, "started");
    let before = Instant::now();
    drop(process);
    assert!(before.elapsed() < Duration::from_secs(5));
    all_ended(dir.path());
}

#[test]
fn a_missing_program_is_an_error_that_names_it() {
    let dir = TempDir::new().unwrap();
    let log = dir.path().join("log");
    let error = Process::spawn("gone", &Command::new("/nowhere/gone"), &log).unwrap_err();
    assert!(error.to_string().contains("/nowhere/gone"), "{error}");
    let error = Process::spawn("true", &Command::new("true"), Path::new("/nowhere/log")).unwrap_err();
    assert!(error.to_string().contains("/nowhere/log"), "{error}");
    let mut process = Process::spawn("gone", &Command::new("no-such-program-in-path"), &log).unwrap();
    assert_eq!(process.wait(SOON).unwrap().code(), Some(127));
    log_says(&process, "no-such-program-in-path");
}
