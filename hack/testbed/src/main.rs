// SPDX-License-Identifier: Apache-2.0
//! The command `testbed`: builds the programs, or runs a control plane until it is told to stop.
#![allow(clippy::print_stdout)] // its output is for shells: `eval "$(…)"` and `$(testbed build)`

use std::env;
use std::error::Error;
use std::process::ExitCode;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::Duration;

use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::iterator::Signals;
use testbed::{Binaries, ControlPlane, Options};

const USAGE: &str = "\
usage: testbed build          find or build etcd, kube-apiserver, kube-controller-manager and kubectl, print their folder
       testbed up [--audit]   start a control plane, print `export KUBECONFIG=…`, run until Ctrl-C or SIGTERM";

/// How often it is seen whether a program has ended by itself.
const CHECK: Duration = Duration::from_millis(500);

fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let outcome = match arguments[..] {
        ["build"] => build(),
        ["up"] => up(false),
        ["up", "--audit"] => up(true),
        _ => {
            eprintln!("{USAGE}");
            return ExitCode::from(2);
        }
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("testbed: {error}");
            ExitCode::FAILURE
        }
    }
}

fn build() -> Result<(), Box<dyn Error>> {
    for folder in Binaries::locate_or_build()?.folders() {
        println!("{}", folder.display());
    }
    Ok(())
}

fn up(audit: bool) -> Result<(), Box<dyn Error>> {
    // Before the signals are taken over: Ctrl-C shall end a build at once.
    let binaries = Some(Binaries::locate_or_build()?);
    let mut signals = Signals::new([SIGINT, SIGTERM, SIGHUP])?;
    let mut plane = ControlPlane::start(Options { audit, binaries, ..Options::default() })?;
    println!("export KUBECONFIG={}", plane.kubeconfig().display());
    if let Some(audit_log) = plane.audit_log() {
        eprintln!("testbed: audit log in {}", audit_log.display());
    }
    eprintln!("testbed: {} is ready, Ctrl-C ends it, logs in {}", plane.server(), plane.dir().display());

    let (stop, stopped) = mpsc::channel();
    thread::spawn(move || signals.forever().next().map(|signal| stop.send(signal)));
    while let Err(RecvTimeoutError::Timeout) = stopped.recv_timeout(CHECK) {
        if let Err(error) = plane.check_alive() {
            plane.keep();
            return Err(error.into());
        }
    }
    Ok(())
}
