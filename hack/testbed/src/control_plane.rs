// SPDX-License-Identifier: Apache-2.0
//! The control plane as its users see it: start, addresses, kubectl, end.

use std::io::{self, Write as _};
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::thread;
use std::time::Duration;

use crate::launch::Programs;
use crate::layout::Layout;
use crate::scratch::Scratch;
use crate::{Binaries, Error, Process, flags};

/// Tries with new ports, when another program takes one between its choice and its use.
const ATTEMPTS: usize = 4;

/// How a control plane is started.
#[derive(Debug, Clone)]
pub struct Options {
    /// Write an audit log: one line of JSON per request at level Metadata, when it has been answered.
    pub audit: bool,
    /// A [`Node`](crate::Node) is going to join: the API server then listens on every address of this machine.
    pub node: bool,
    /// The API server hands requests on to other programs, as [`Keda`](crate::keda::Keda) and
    /// [`MetricsServer`](crate::metrics_server::MetricsServer) need it.
    pub aggregation: bool,
    /// Appended to the API server's own flags; the last one of a name wins.
    pub extra_apiserver_args: Vec<String>,
    /// Appended to the controller manager's own flags; the last one of a name wins.
    pub extra_controller_manager_args: Vec<String>,
    /// How long the start may take once the programs are there. About 4 s on two idle cores.
    pub ready_within: Duration,
    /// The programs to run; `None` calls [`Binaries::locate_or_build`].
    pub binaries: Option<Binaries>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            audit: false,
            node: false,
            aggregation: false,
            extra_apiserver_args: Vec::new(),
            extra_controller_manager_args: Vec::new(),
            ready_within: Duration::from_secs(90),
            binaries: None,
        }
    }
}

/// One program of a control plane.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Component {
    /// The store.
    Etcd,
    /// kube-apiserver.
    ApiServer,
    /// kube-controller-manager.
    ControllerManager,
}

/// A running control plane of its own ports, folder, authority and data. Everything ends and is removed when it is
/// dropped; the folder stays when the dropping thread panics, so that the logs of a failed test can be read.
#[derive(Debug)]
pub struct ControlPlane {
    // Dropped in this order: no program may write into a folder that is being removed.
    programs: Programs,
    layout: Layout,
    binaries: Binaries,
    aggregation: bool,
    ready_within: Duration,
    scratch: Scratch,
}

impl ControlPlane {
    /// Starts a control plane and waits until it can be used: the API server is ready, and the namespace `default`
    /// has its service account.
    ///
    /// # Errors
    /// When the programs cannot be had, one of them ends, or the start takes longer than
    /// [`Options::ready_within`]. The message then has the end of the log in question, and the folder with all
    /// logs is kept.
    #[allow(clippy::needless_pass_by_value)] // reads better at every call
    pub fn start(options: Options) -> Result<Self, Error> {
        let binaries = match &options.binaries {
            Some(binaries) => binaries.clone(),
            None => Binaries::locate_or_build()?,
        };
        let mut attempt = 1;
        loop {
            let mut scratch =
                Scratch::create().map_err(Error::io("create a folder in", &std::env::temp_dir()))?;
            let started = Layout::write(scratch.path(), options.audit, options.node)
                .and_then(|layout| Ok((Programs::start(&binaries, &layout, &options)?, layout)));
            match started {
                Ok((programs, layout)) => {
                    let Options { ready_within, aggregation, .. } = options;
                    return Ok(Self { programs, layout, binaries, aggregation, ready_within, scratch });
                }
                Err(error) if error.is_port_taken() && attempt < ATTEMPTS => attempt += 1,
                Err(error) => {
                    scratch.keep();
                    eprintln!("testbed: the start failed, logs are kept in {}", scratch.path().display());
                    return Err(error);
                }
            }
        }
    }

    /// The kubeconfig file of the administrator.
    #[must_use]
    pub fn kubeconfig(&self) -> &Path {
        &self.layout.kubeconfig
    }

    /// The URL of the API server.
    #[must_use]
    pub fn server(&self) -> &str {
        &self.layout.server
    }

    /// The bearer token of the administrator.
    #[must_use]
    pub fn token(&self) -> &str {
        &self.layout.token
    }

    /// The authority of the API server's certificate, in PEM.
    #[must_use]
    pub fn ca_pem(&self) -> &str {
        &self.layout.ca_pem
    }

    /// The folder of this instance, which is also a good place for logs of programs under test.
    #[must_use]
    pub fn dir(&self) -> &Path {
        self.scratch.path()
    }

    /// The audit log, when [`Options::audit`] asked for one.
    #[must_use]
    pub fn audit_log(&self) -> Option<&Path> {
        self.layout.audit_log.as_deref()
    }

    /// Whether requests can be handed on to other programs.
    pub(crate) fn aggregates(&self) -> bool {
        self.aggregation
    }

    /// kubectl for this instance, which neither reads the user's configuration nor writes into the user's cache.
    #[must_use]
    pub fn kubectl(&self) -> Command {
        flags::kubectl(&self.binaries, &self.layout)
    }

    /// `kubectl apply -f -` with `yaml` as input. Look at the status of the answer: a refused object is no error
    /// here.
    ///
    /// # Errors
    /// When kubectl cannot be run.
    pub fn kubectl_apply(&self, yaml: &str, extra_args: &[&str]) -> io::Result<Output> {
        self.kubectl_reading(&[&["apply", "-f", "-"], extra_args].concat(), yaml)
    }

    /// kubectl with `input` on its standard input. Look at the status of the answer, as above.
    ///
    /// # Errors
    /// When kubectl cannot be run.
    pub fn kubectl_reading(&self, arguments: &[&str], input: &str) -> io::Result<Output> {
        let mut kubectl = self
            .kubectl()
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()?;
        let pipe = kubectl.stdin.take();
        // Written beside the reading: kubectl answers before it has read everything, and a full pipe would block
        // both sides. That it may stop reading early is told by its own status.
        thread::scope(|scope| {
            scope.spawn(move || pipe.map(|mut pipe| pipe.write_all(input.as_bytes())));
            kubectl.wait_with_output()
        })
    }

    /// The process of one program, to measure or freeze it.
    #[must_use]
    pub fn process(&self, component: Component) -> &Process {
        &self.programs.of(component).process
    }

    /// The process of one program, to wait for its end.
    pub fn process_mut(&mut self, component: Component) -> &mut Process {
        &mut self.programs.of_mut(component).process
    }

    /// Starts one program again on the same port and data, after ending it (SIGKILL) if it still runs, and waits
    /// until the API server is ready. Controllers that were started again need a second or two more; wait for what
    /// they shall do.
    ///
    /// # Errors
    /// As with [`ControlPlane::start`], for any of the programs.
    pub fn restart(&mut self, component: Component) -> Result<(), Error> {
        self.programs.restart(component)?;
        self.programs.await_ready(&self.binaries, &self.layout, self.ready_within)
    }

    /// Says which program has ended by itself, and why.
    ///
    /// # Errors
    /// When one has.
    pub fn check_alive(&mut self) -> Result<(), Error> {
        self.programs.check_alive()
    }

    /// Keeps the folder with all logs and data when this value is dropped.
    pub fn keep(&mut self) {
        self.scratch.keep();
    }
}

impl Drop for ControlPlane {
    fn drop(&mut self) {
        if thread::panicking() {
            self.keep();
            eprintln!("testbed: the logs of the control plane are kept in {}", self.dir().display());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::ControlPlane;

    #[test]
    fn one_instance_can_be_shared_by_all_tests_of_a_file() {
        fn shared<T: Send + Sync>() {}
        shared::<ControlPlane>();
    }
}
