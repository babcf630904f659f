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
use testbed::{Binaries, ControlPlane, Node, NodePrograms, Options};

const USAGE: &str = "\
usage: testbed build                   find or build etcd, kube-apiserver, kube-controller-manager and kubectl, print their folder
       testbed build --node            the same for the programs of a node
       testbed up [--audit] [--node]   start a control plane, with --node (root) one where pods run, print `export KUBECONFIG=…`,
                                       run until Ctrl-C or SIGTERM";

/// How often it is seen whether a program has ended by itself.
const CHECK: Duration = Duration::from_millis(500);

fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let outcome = match arguments[..] {
        ["build"] => build(),
        ["build", "--node"] => build_node(),
        ["up", ref how @ ..] if how.iter().all(|word| ["--audit", "--node"].contains(word)) => {
            up(how.contains(&"--audit"), how.contains(&"--node"))
        }
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

fn build_node() -> Result<(), Box<dyn Error>> {
    println!("{}", NodePrograms::locate_or_build()?.folder().display());
    Ok(())
}

fn up(audit: bool, node: bool) -> Result<(), Box<dyn Error>> {
    // Before the signals are taken over: Ctrl-C shall end a build at once.
    let binaries = Some(Binaries::locate_or_build()?);
    let programs = node.then(NodePrograms::locate_or_build).transpose()?;
    let mut signals = Signals::new([SIGINT, SIGTERM, SIGHUP])?;
    let mut plane = ControlPlane::start(Options { audit, node, binaries, ..Options::default() })?;
    let joined = programs.map(|programs| Node::join(&plane, &programs)).transpose();
    let mut node = joined.inspect_err(|_| plane.keep())?;
    println!("export KUBECONFIG={}", plane.kubeconfig().display());
    if let Some(audit_log) = plane.audit_log() {
        eprintln!("testbed: audit log in {}", audit_log.display());
    }
    eprintln!("testbed: {} is ready, Ctrl-C ends it, logs in {}", plane.server(), plane.dir().display());

    let (stop, stopped) = mpsc::channel();
    thread::spawn(move || signals.forever().next().map(|signal| stop.send(signal)));
    while let Err(RecvTimeoutError::Timeout) = stopped.recv_timeout(CHECK) {
        let alive = plane.check_alive().and_then(|()| node.as_mut().map_or(Ok(()), Node::check_alive));
        if let Err(error) = alive {
            plane.keep();
            return Err(error.into());
        }
    }
    Ok(())
}
