// SPDX-License-Identifier: Apache-2.0
//! The start of the programs, and the wait until they can be used.

use std::net::{Ipv4Addr, TcpStream};
use std::path::Path;
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use crate::error::read_tail;
use crate::layout::Layout;
use crate::{Binaries, Component, Error, Options, Process, flags};

const POLL: Duration = Duration::from_millis(100);

/// The programs of one instance, and how to start each again.
#[derive(Debug)]
pub(crate) struct Programs {
    // In the order in which they are dropped: clients before servers.
    pub(crate) controller_manager: Program,
    pub(crate) apiserver: Program,
    pub(crate) etcd: Program,
}

#[derive(Debug)]
pub(crate) struct Program {
    pub(crate) process: Process,
    command: Command,
}

/// A step of the wait: what is asked for, and from whom an answer is missing.
struct Step {
    what: &'static str,
    raw: &'static str,
    responsible: Component,
}

const API_READY: Step =
    Step { what: "the API server's /readyz", raw: "/readyz", responsible: Component::ApiServer };

/// Namespaces and service accounts exist only when both the API server and the controllers work.
const CONTROLLERS_READY: Step = Step {
    what: "the service account of the namespace default",
    raw: "/api/v1/namespaces/default/serviceaccounts/default",
    responsible: Component::ControllerManager,
};

impl Programs {
    pub(crate) fn start(binaries: &Binaries, layout: &Layout, options: &Options) -> Result<Self, Error> {
        let etcd = Program::start("etcd", flags::etcd(binaries, layout), layout)?;
        let apiserver =
            Program::start("kube-apiserver", flags::kube_apiserver(binaries, layout, options), layout)?;
        let controller_manager = Program::start(
            "kube-controller-manager",
            flags::kube_controller_manager(binaries, layout, options),
            layout,
        )?;
        let mut programs = Self { controller_manager, apiserver, etcd };
        programs.await_ready(binaries, layout, options.ready_within)?;
        Ok(programs)
    }

    pub(crate) fn await_ready(
        &mut self,
        binaries: &Binaries,
        layout: &Layout,
        within: Duration,
    ) -> Result<(), Error> {
        let deadline = Instant::now() + within;
        let mut revived = false;
        for step in [API_READY, CONTROLLERS_READY] {
            while let Err(answer) = ask(binaries, layout, step.raw) {
                let starting = matches!(step.responsible, Component::ApiServer);
                // It gives up when the API server takes longer than ten seconds, as it may on a busy machine, and is seen to
                // have done so when that has answered meanwhile.
                let may_give_up = starting || !revived;
                if may_give_up && self.controller_manager.process.try_exit().is_some() {
                    self.restart(Component::ControllerManager)?;
                    revived = !starting;
                }
                self.check_servers_alive()?;
                if !may_give_up {
                    self.controller_manager.process.check_alive()?;
                }
                if Instant::now() >= deadline {
                    return Err(self.not_ready(&step, answer, within));
                }
                thread::sleep(POLL);
            }
        }
        // The answers do not tell that another program has ended since.
        self.check_alive()
    }

    fn not_ready(&self, step: &Step, answer: String, within: Duration) -> Error {
        let log = self.of(step.responsible).process.log().to_owned();
        let tail = read_tail(&log);
        Error::NotReady { waiting_for: step.what, seconds: within.as_secs(), answer, log, tail }
    }

    /// Ends the program if it still runs, and starts it with the same flags on the same data.
    pub(crate) fn restart(&mut self, component: Component) -> Result<(), Error> {
        let program = self.of_mut(component);
        let log = program.process.log().to_owned();
        program.process.kill().map_err(Error::io("end the program with the log", &log))?;
        program.process.wait(Duration::from_secs(10));
        let name = program.process.name().to_owned();
        program.process =
            Process::spawn(&name, &program.command, &log).map_err(Error::io("start", Path::new(&name)))?;
        Ok(())
    }

    pub(crate) fn of(&self, component: Component) -> &Program {
        match component {
            Component::Etcd => &self.etcd,
            Component::ApiServer => &self.apiserver,
            Component::ControllerManager => &self.controller_manager,
        }
    }

    pub(crate) fn of_mut(&mut self, component: Component) -> &mut Program {
        match component {
            Component::Etcd => &mut self.etcd,
            Component::ApiServer => &mut self.apiserver,
            Component::ControllerManager => &mut self.controller_manager,
        }
    }

    /// Fails when a program has ended.
    pub(crate) fn check_alive(&mut self) -> Result<(), Error> {
        self.check_servers_alive()?;
        self.controller_manager.process.check_alive()
    }

    fn check_servers_alive(&mut self) -> Result<(), Error> {
        self.etcd.process.check_alive()?;
        self.apiserver.process.check_alive()
    }
}

impl Program {
    fn start(name: &str, command: Command, layout: &Layout) -> Result<Self, Error> {
        let log = layout.path(&format!("{name}.log"));
        let process = Process::spawn(name, &command, &log).map_err(Error::io("start", Path::new(name)))?;
        Ok(Self { process, command })
    }
}

/// Whether the API server answers `path` with success; otherwise what was answered.
fn ask(binaries: &Binaries, layout: &Layout, path: &str) -> Result<(), String> {
    // Asked first, as it costs nothing while the server still loads.
    TcpStream::connect((Ipv4Addr::LOCALHOST, layout.api_port)).map_err(|error| error.to_string())?;
    let output = flags::kubectl(binaries, layout)
        .args(["get", "--request-timeout=2s", "--raw", path])
        .output()
        .map_err(|error| error.to_string())?;
    if output.status.success() {
        Ok(())
    } else {
        Err(String::from_utf8_lossy(&output.stderr).trim().to_owned())
    }
}
