// SPDX-License-Identifier: Apache-2.0
//! The operator as a process of its own, under its own service account.

use std::io::{self, Read as _, Write as _};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use testbed::Process;

use crate::wait::until;

/// The operator's program.
pub(crate) const PROGRAM: &str = env!("CARGO_BIN_EXE_celery-operator");

/// What a start of the operator needs, so that it can be started again.
#[derive(Debug)]
pub(crate) struct Launch {
    pub(crate) kubeconfig: PathBuf,
    pub(crate) log: PathBuf,
    pub(crate) webhook_port: u16,
    pub(crate) admin_port: u16,
    pub(crate) arguments: Vec<String>,
}

impl Launch {
    /// Starts the operator and waits until it says that it is ready.
    pub(crate) fn start(&self) -> Process {
        let mut command = Command::new(PROGRAM);
        command
            .arg("run")
            .arg(format!("--webhook-address=127.0.0.1:{}", self.webhook_port))
            .arg(format!("--admin-address=127.0.0.1:{}", self.admin_port))
            .args(["--webhook-name=127.0.0.1,localhost", "--namespace=celery-system"])
            .args(&self.arguments)
            .env("KUBECONFIG", &self.kubeconfig)
            .env("NO_COLOR", "1");
        let mut process = Process::spawn("celery-operator", &command, &self.log).unwrap();
        until("the operator is ready", || {
            if let Some(status) = process.try_exit() {
                panic!("the operator ended ({status}), see {}", self.log.display());
            }
            match self.admin("/readyz") {
                Ok(answer) if answer.starts_with("HTTP/1.1 200") => Ok(()),
                Ok(answer) => Err(format!("{answer}; see {}", self.log.display())),
                Err(error) => Err(format!("{error}; see {}", self.log.display())),
            }
        });
        process
    }

    /// What the admin port answers.
    pub(crate) fn admin(&self, path: &str) -> io::Result<String> {
        let mut stream = TcpStream::connect(("127.0.0.1", self.admin_port))?;
        stream.set_read_timeout(Some(Duration::from_secs(5)))?;
        write!(stream, "GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer)?;
        Ok(answer)
    }
}

/// What `celery-operator` prints for these arguments.
pub(crate) fn printed(arguments: &[&str]) -> String {
    let output = Command::new(PROGRAM).args(arguments).output().unwrap();
    assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

/// Writes a kubeconfig file of the user of a token.
pub(crate) fn write_kubeconfig(file: &Path, server: &str, ca: &Path, token: &str) {
    let config = serde_json::json!({
        "apiVersion": "v1", "kind": "Config", "current-context": "it",
        "clusters": [{"name": "it", "cluster": {"server": server, "certificate-authority": ca}}],
        "users": [{"name": "it", "user": {"token": token}}],
        "contexts": [{"name": "it", "context": {"cluster": "it", "user": "it"}}],
    });
    std::fs::write(file, config.to_string()).unwrap();
}
