// SPDX-License-Identifier: Apache-2.0
//! However the owner of a control plane ends, nothing of it stays.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

mod waiting;

use std::fs;
use std::os::unix::process::ExitStatusExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;
use testbed::{ControlPlane, Options, Process};
use waiting::{all_ended, eventually, processes_in};

/// Runs `testbed up` in a process of its own, ends it with `signal` once it is ready, and returns how it ended and
/// where its folder was, after seeing that all its programs are gone.
fn owner_ended_by(signal: Signal) -> (ExitStatus, PathBuf) {
    let logs = TempDir::new().unwrap();
    let mut up = Command::new(env!("CARGO_BIN_EXE_testbed"));
    up.arg("up");
    let mut owner = Process::spawn("testbed up", &up, &logs.path().join("log")).unwrap();
    let dir = eventually("testbed up is ready", || {
        let said = fs::read_to_string(owner.log()).unwrap();
        assert!(owner.try_exit().is_none(), "{said}");
        let line = said.lines().find_map(|line| line.strip_prefix("export KUBECONFIG=").map(PathBuf::from));
        line.and_then(|kubeconfig| kubeconfig.parent().map(Path::to_owned))
    });
    let running = processes_in(&dir);
    for program in ["/etcd --", "/kube-apiserver --", "/kube-controller-manager --"] {
        assert!(running.iter().any(|line| line.contains(program)), "{running:#?}");
    }

    kill_process(Pid::from_raw(owner.id().try_into().unwrap()).unwrap(), signal).unwrap();
    let status = owner.wait(Duration::from_secs(30)).expect("the owner ends");
    all_ended(&dir);
    (status, dir)
}

#[test]
fn killing_the_owner_ends_every_process() {
    let (status, dir) = owner_ended_by(Signal::KILL);
    assert_eq!(status.signal(), Some(9));
    // Nobody was left to remove it; the next instance would, after a minute.
    fs::remove_dir_all(dir).unwrap();
}

#[test]
fn sigterm_ends_every_process_and_removes_the_folder() {
    let (status, dir) = owner_ended_by(Signal::TERM);
    assert!(status.success(), "{status}");
    assert!(!dir.exists());
}

#[test]
fn ctrl_c_ends_every_process_and_removes_the_folder() {
    let (status, dir) = owner_ended_by(Signal::INT);
    assert!(status.success(), "{status}");
    assert!(!dir.exists());
}

#[test]
fn a_panic_ends_every_process_and_keeps_the_logs() {
    let (send, receive) = mpsc::channel();
    let failing = thread::spawn(move || {
        let plane = ControlPlane::start(Options::default()).unwrap();
        send.send(plane.dir().to_owned()).unwrap();
        panic!("this panic is part of the test");
    });
    assert!(failing.join().is_err());
    let dir = receive.recv().unwrap();
    all_ended(&dir);
    assert!(dir.join("kube-apiserver.log").is_file());
    fs::remove_dir_all(dir).unwrap();
}
