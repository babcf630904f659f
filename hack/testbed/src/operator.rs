// SPDX-License-Identifier: Apache-2.0
//! The operator beside a control plane: its manifests in force, its process under its own service account, so that a
//! permission it lacks shows here and not in a cluster.

use std::env;
use std::fs;
use std::io::{self, Read as _, Write as _};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::thread;
use std::time::{Duration, Instant};

use crate::control_plane::ControlPlane;
use crate::error::Error;
use crate::ports::free_port;
use crate::process::Process;

/// Namespace that the operator's own objects are in.
pub const NAMESPACE: &str = "celery-system";
/// How long the operator may take until it is ready.
const READY_WITHIN: Duration = Duration::from_secs(30);
/// How often it is asked.
const POLL: Duration = Duration::from_millis(50);
/// How long it may take to answer.
const ANSWER_WITHIN: Duration = Duration::from_secs(5);

/// An operator that is installed: what it takes to start it, and to start it again.
#[derive(Clone, Debug)]
pub struct Operator {
    program: PathBuf,
    /// What its process uses: its service account's token.
    pub kubeconfig: PathBuf,
    /// Where its process logs.
    pub log: PathBuf,
    /// Port of its webhooks.
    pub webhook_port: u16,
    /// Port of `/livez` and `/readyz`.
    pub admin_port: u16,
    /// Further arguments.
    pub arguments: Vec<String>,
}

impl Operator {
    /// Installs the definition, the roles and, unless `webhooks` is false, the webhook configurations.
    ///
    /// # Errors
    /// [`Error::Command`] with what kubectl or the operator's program said.
    pub fn install(plane: &ControlPlane, program: &Path, webhooks: bool) -> Result<Self, Error> {
        let operator = Self {
            program: program.to_owned(),
            kubeconfig: plane.dir().join("operator.kubeconfig"),
            log: plane.dir().join("operator.log"),
            webhook_port: free_port().map_err(port)?,
            admin_port: free_port().map_err(port)?,
            arguments: Vec::new(),
        };
        apply(plane, &operator.printed(&["crd"])?)?;
        await_definition(plane)?;
        kubectl(plane, &["create", "namespace", NAMESPACE])?;
        apply(plane, &operator.printed(&["manifests", "rbac"])?)?;
        if webhooks {
            operator.install_webhooks(plane)?;
        }
        let token = kubectl(
            plane,
            &["create", "token", "celery-operator", "--namespace", NAMESPACE, "--duration=24h"],
        )?;
        operator.write_kubeconfig(plane, token.trim())?;
        Ok(operator)
    }

    /// One that listens on these ports and cannot be started.
    #[cfg(test)]
    pub(crate) fn at(webhook_port: u16, admin_port: u16) -> Self {
        let (program, kubeconfig, log) = Default::default();
        Self { program, kubeconfig, log, webhook_port, admin_port, arguments: Vec::new() }
    }

    /// Another process of the same operator, with ports and a log of its own; `name` tells it apart. Requests to webhooks
    /// go on coming to the first.
    ///
    /// # Errors
    /// When there is no free port.
    pub fn replica(&self, name: &str) -> Result<Self, Error> {
        Ok(Self {
            log: self.log.with_file_name(format!("operator-{name}.log")),
            webhook_port: free_port().map_err(port)?,
            admin_port: free_port().map_err(port)?,
            ..self.clone()
        })
    }

    /// The operator's program, as cargo builds it into the folder of this program; `OPERATOR` names another.
    ///
    /// # Errors
    /// When it is not there.
    pub fn program() -> io::Result<PathBuf> {
        let program = match env::var_os("OPERATOR").filter(|path| !path.is_empty()) {
            Some(path) => PathBuf::from(path),
            None => env::current_exe()?.with_file_name("celery-operator"),
        };
        if program.is_file() {
            return Ok(program);
        }
        let wanted = "the operator's program is not there: build the package celery-operator first";
        Err(io::Error::new(io::ErrorKind::NotFound, wanted))
    }

    /// Installs the webhook configurations, leading to this host.
    ///
    /// # Errors
    /// [`Error::Command`] with what kubectl or the operator's program said.
    pub fn install_webhooks(&self, plane: &ControlPlane) -> Result<(), Error> {
        let url = format!("https://127.0.0.1:{}", self.webhook_port);
        apply(plane, &self.printed(&["manifests", "webhooks", "--url", &url])?).map(drop)
    }

    /// Starts the process and waits until it is ready.
    ///
    /// # Errors
    /// [`Error::OperatorNotReady`] when it ends, or does not become ready in time.
    pub fn start(&self) -> Result<Process, Error> {
        let mut process = self.spawn()?;
        self.await_ready(&mut process)?;
        Ok(process)
    }

    /// Starts the process, and does not wait.
    ///
    /// # Errors
    /// When there is no such program.
    pub fn spawn(&self) -> Result<Process, Error> {
        let mut command = Command::new(&self.program);
        command
            .arg("run")
            .arg(format!("--webhook-address=127.0.0.1:{}", self.webhook_port))
            .arg(format!("--admin-address=127.0.0.1:{}", self.admin_port))
            .arg("--webhook-name=127.0.0.1,localhost")
            .arg(format!("--namespace={NAMESPACE}"))
            .args(&self.arguments)
            // Nobody else serves here, and tests end quickly; an argument goes before the environment.
            .env("CELERY_OPERATOR_DRAIN_SECONDS", "0")
            // One that was killed is followed soon.
            .env("CELERY_OPERATOR_LEASE_SECONDS", "2")
            .env("KUBECONFIG", &self.kubeconfig)
            .env("NO_COLOR", "1");
        Process::spawn("celery-operator", &command, &self.log).map_err(Error::io("run", &self.program))
    }

    /// Waits until a process that was started is ready.
    ///
    /// # Errors
    /// [`Error::OperatorNotReady`] when it ends, or does not become ready in time.
    pub fn await_ready(&self, process: &mut Process) -> Result<(), Error> {
        let deadline = Instant::now() + READY_WITHIN;
        loop {
            let answer = self.ask("/readyz");
            if answer.as_ref().is_ok_and(|answer| answer.starts_with("HTTP/1.1 200")) {
                return Ok(());
            }
            let ended = process.try_exit().map(|status| status.to_string());
            if ended.is_some() || Instant::now() > deadline {
                let said = ended.unwrap_or_else(|| answer.unwrap_or_else(|error| error.to_string()));
                return Err(Error::OperatorNotReady { said, log: self.log.clone() });
            }
            thread::sleep(POLL);
        }
    }

    /// What the admin port answers, head and body.
    ///
    /// # Errors
    /// When nothing listens there.
    pub fn ask(&self, path: &str) -> io::Result<String> {
        self.ask_within(path, ANSWER_WITHIN)
    }

    /// The same, for somebody who does not wait as long.
    ///
    /// # Errors
    /// When nothing listens there, or no answer comes in time.
    pub fn ask_within(&self, path: &str, timeout: Duration) -> io::Result<String> {
        let mut stream = TcpStream::connect(("127.0.0.1", self.admin_port))?;
        stream.set_read_timeout(Some(timeout))?;
        write!(stream, "GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer)?;
        Ok(answer)
    }

    fn printed(&self, arguments: &[&str]) -> Result<String, Error> {
        let mut command = Command::new(&self.program);
        succeeded(
            "celery-operator",
            arguments,
            &command.args(arguments).output().map_err(Error::io("run", &self.program))?,
        )
    }

    fn write_kubeconfig(&self, plane: &ControlPlane, token: &str) -> Result<(), Error> {
        let ca = self.kubeconfig.with_extension("ca.crt");
        fs::write(&ca, plane.ca_pem()).map_err(Error::io("write", &ca))?;
        let config = serde_json::json!({
            "apiVersion": "v1", "kind": "Config", "current-context": "local",
            "clusters": [{ "name": "local", "cluster": { "server": plane.server(), "certificate-authority": ca } }],
            "users": [{ "name": "celery-operator", "user": { "token": token } }],
            "contexts": [{ "name": "local", "context": { "cluster": "local", "user": "celery-operator" } }],
        });
        fs::write(&self.kubeconfig, config.to_string()).map_err(Error::io("write", &self.kubeconfig))
    }
}

/// A kind is served a moment after its definition was written. The definition is read whole: `kubectl wait` and jsonpath
/// filters fail on an object that has no conditions yet.
fn await_definition(plane: &ControlPlane) -> Result<(), Error> {
    let arguments = ["get", "crd", "celeries.celeryproject.org", "-o", "json"];
    let deadline = Instant::now() + READY_WITHIN;
    while !is_established(&kubectl(plane, &arguments)?) {
        if Instant::now() > deadline {
            let said = "the definition is not established".to_owned();
            return Err(Error::Command { command: format!("kubectl {}", arguments.join(" ")), said });
        }
        thread::sleep(POLL);
    }
    Ok(())
}

fn is_established(definition: &str) -> bool {
    let definition: serde_json::Value = serde_json::from_str(definition).unwrap_or_default();
    let conditions = definition["status"]["conditions"].as_array();
    let mut conditions = conditions.into_iter().flatten();
    conditions.any(|condition| condition["type"] == "Established" && condition["status"] == "True")
}

fn apply(plane: &ControlPlane, yaml: &str) -> Result<String, Error> {
    succeeded("kubectl", &["apply"], &plane.kubectl_apply(yaml, &[]).map_err(no_kubectl)?)
}

fn kubectl(plane: &ControlPlane, arguments: &[&str]) -> Result<String, Error> {
    succeeded("kubectl", arguments, &plane.kubectl().args(arguments).output().map_err(no_kubectl)?)
}

fn no_kubectl(error: io::Error) -> Error {
    Error::io("run", Path::new("kubectl"))(error)
}

fn port(error: io::Error) -> Error {
    Error::io("listen on", Path::new("127.0.0.1"))(error)
}

fn succeeded(program: &str, arguments: &[&str], output: &Output) -> Result<String, Error> {
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
    }
    let said = String::from_utf8_lossy(&output.stderr).trim().to_owned();
    Err(Error::Command { command: format!("{program} {}", arguments.join(" ")), said })
}

#[cfg(test)]
mod tests {
    use super::is_established;

    #[test]
    fn a_definition_without_conditions_is_not_established_yet() {
        assert!(!is_established("{}"));
        assert!(!is_established(r#"{"status": {"conditions": null}}"#));
        assert!(!is_established(
            r#"{"status": {"conditions": [{"type": "Established", "status": "False"}]}}"#
        ));
        assert!(is_established(r#"{"status": {"conditions": [{"type": "Established", "status": "True"}]}}"#));
    }
}
