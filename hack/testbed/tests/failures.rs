// SPDX-License-Identifier: Apache-2.0
//! What the user reads when it does not work.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

mod waiting;

use std::fs;
use std::net::TcpListener;
use std::process::Command;
use std::time::Duration;

use tempfile::TempDir;
use testbed::{ControlPlane, Error, Options};
use waiting::all_ended;

#[test]
fn a_failed_start_says_why_and_keeps_the_logs() {
    let extra_apiserver_args = vec!["--no-such-flag=1".to_owned()];
    let error = ControlPlane::start(Options { extra_apiserver_args, ..Options::default() }).unwrap_err();
    let message = error.to_string();
    let Error::Ended { program, log, .. } = error else { panic!("{message}") };
    assert_eq!(program, "kube-apiserver");
    assert!(message.contains("unknown flag: --no-such-flag"), "{message}");
    assert!(message.contains(log.to_str().unwrap()), "{message}");
    let dir = log.parent().unwrap();
    assert!(log.is_file() && dir.join("etcd.log").is_file());
    all_ended(dir);
    fs::remove_dir_all(dir).unwrap();
}

#[test]
fn a_port_that_stays_taken_is_given_up_after_some_tries() {
    let taken = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let port = taken.local_addr().unwrap().port();
    let extra_apiserver_args = vec![format!("--secure-port={port}")];
    let error = ControlPlane::start(Options { extra_apiserver_args, ..Options::default() }).unwrap_err();
    let message = error.to_string();
    let Error::Ended { log, .. } = error else { panic!("{message}") };
    assert!(message.contains("address already in use"), "{message}");
    let dir = log.parent().unwrap();
    all_ended(dir);
    fs::remove_dir_all(dir).unwrap();
}

#[test]
fn a_start_that_takes_too_long_says_what_it_waited_for() {
    let options = Options { ready_within: Duration::from_millis(1), ..Options::default() };
    let error = ControlPlane::start(options).unwrap_err();
    let message = error.to_string();
    let Error::NotReady { waiting_for, log, .. } = error else { panic!("{message}") };
    assert!(waiting_for.contains("/readyz"), "{message}");
    assert!(message.contains("Options::ready_within"), "{message}");
    let dir = log.parent().unwrap();
    all_ended(dir);
    fs::remove_dir_all(dir).unwrap();
}

#[test]
fn a_missing_go_toolchain_is_one_sentence_with_both_ways_out() {
    let empty = TempDir::new().unwrap();
    let output = Command::new(env!("CARGO_BIN_EXE_testbed"))
        .arg("build")
        .env_clear()
        .env("PATH", empty.path())
        .env("XDG_CACHE_HOME", empty.path())
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(1));
    let said = String::from_utf8(output.stderr).unwrap();
    let last = said.lines().last().unwrap();
    assert!(last.contains("no Go toolchain in PATH"), "{said}");
    assert!(last.contains("install Go 1."), "{said}");
    assert!(last.contains("set KUBEBUILDER_ASSETS"), "{said}");
}

#[test]
fn programs_in_kubebuilder_assets_need_neither_go_nor_a_cache() {
    let assets = TempDir::new().unwrap();
    for program in ["etcd", "kube-apiserver", "kube-controller-manager", "kubectl"] {
        fs::write(assets.path().join(program), "").unwrap();
    }
    let output = Command::new(env!("CARGO_BIN_EXE_testbed"))
        .arg("build")
        .env_clear()
        .env("KUBEBUILDER_ASSETS", assets.path())
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(String::from_utf8(output.stdout).unwrap().trim(), assets.path().to_str().unwrap());
}

#[test]
fn without_a_home_the_way_out_is_named() {
    let output = Command::new(env!("CARGO_BIN_EXE_testbed")).arg("build").env_clear().output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.contains("set HOME or XDG_CACHE_HOME"), "{said}");
}

#[test]
fn an_unknown_command_is_answered_with_the_usage() {
    let output = Command::new(env!("CARGO_BIN_EXE_testbed")).arg("down").output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8(output.stderr).unwrap().contains("usage: testbed build"));
}
