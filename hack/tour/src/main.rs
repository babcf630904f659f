// SPDX-License-Identifier: Apache-2.0
//! What `make run` does: a local Kubernetes comes up, the operator is installed and runs against it, and a short tour
//! shows with the real kubectl what it does. Every step checks what it shows; one that did not behave ends the tour
//! with a failure.
#![allow(clippy::print_stdout)] // the tour is what it prints

mod script;
mod steps;

use std::env;
use std::error::Error;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::Duration;

use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::iterator::Signals;
use testbed::{Binaries, ControlPlane, Operator, Options};

/// How often it is seen whether a program has ended by itself.
const CHECK: Duration = Duration::from_millis(500);

fn main() -> ExitCode {
    match tour() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("\nthe tour ends here: {error}");
            ExitCode::FAILURE
        }
    }
}

fn tour() -> Result<(), Box<dyn Error>> {
    // Before the signals are taken over: Ctrl-C shall end a build at once.
    let binaries = Some(Binaries::locate_or_build()?);
    let mut signals = Signals::new([SIGINT, SIGTERM, SIGHUP])?;
    let (stop, stopped) = mpsc::channel();
    thread::spawn(move || signals.forever().next().map(|signal| stop.send(signal)));

    script::say("A local Kubernetes: etcd, kube-apiserver, kube-controller-manager");
    let mut plane = ControlPlane::start(Options { binaries, ..Options::default() })?;
    println!("{} is ready", plane.server());

    script::say("The operator: its definition, roles and webhooks, then the process itself");
    let operator = Operator::install(&plane, &program()?, true)?;
    let mut process = operator.start()?;
    println!(
        "it serves its webhooks on 127.0.0.1:{} and logs to {}",
        operator.webhook_port,
        operator.log.display()
    );

    if let Err(error) = steps::run(&plane) {
        // A signal also ends the kubectl of the step at hand, which looks like a failure.
        if stopped.recv_timeout(CHECK).is_ok() {
            return Err("asked to stop".into());
        }
        plane.keep();
        return Err(error);
    }
    if env::var_os("ONCE").is_some_and(|once| !once.is_empty() && once != "0") {
        println!("\nThe tour is over, everything behaved.");
        return Ok(());
    }
    println!("\nThe tour is over. Kubernetes and the operator stay up until Ctrl-C; in another terminal:\n");
    println!("  export KUBECONFIG={}", plane.kubeconfig().display());
    println!("  {}", in_path(&plane));
    println!("  kubectl get celeries\n");
    while let Err(RecvTimeoutError::Timeout) = stopped.recv_timeout(CHECK) {
        if let Some(status) = process.try_exit() {
            plane.keep();
            return Err(
                format!("the operator ended by itself ({status}), see {}", operator.log.display()).into()
            );
        }
        plane.check_alive()?;
    }
    Ok(())
}

/// The operator's program, built into the same folder as this one.
fn program() -> Result<PathBuf, Box<dyn Error>> {
    let program = env::current_exe()?.with_file_name("celery-operator");
    if program.is_file() {
        return Ok(program);
    }
    Err(format!("{} is not there: run `cargo build -p celery-operator` first", program.display()).into())
}

/// How a shell finds the kubectl of the tour.
fn in_path(plane: &ControlPlane) -> String {
    let kubectl = plane.kubectl();
    let folder = Path::new(kubectl.get_program()).parent().unwrap_or(Path::new("/"));
    format!("export PATH={}:$PATH", folder.display())
}
