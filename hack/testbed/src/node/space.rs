// SPDX-License-Identifier: Apache-2.0
//! Namespaces of a node: whatever happens to its owner, the kernel takes everything away that is in them.
//!
//! Shims of containers leave every process group on purpose, and mounts, network namespaces and packet filters have no
//! owner at all. Killed without a chance to clean up, a node that shares this machine's namespaces would leave all of
//! them behind. In a process namespace of its own it cannot: the end of the first process is the end of all.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use crate::{Error, Process, until};

const SCRIPT: &str = include_str!("space.sh");
/// Long enough for a machine that does much else.
const PATIENCE: Duration = Duration::from_secs(30);

/// The namespaces, held by their first process.
#[derive(Debug)]
pub(crate) struct Space {
    /// `unshare`, whose child is the first process.
    process: Process,
    /// Of the first process, as this machine counts.
    pid: u32,
}

impl Space {
    pub(crate) fn open(dir: &Path) -> Result<Self, Error> {
        let ready = dir.join("space.pid");
        let mut command = Command::new("unshare");
        command
            .args(["--mount", "--net", "--pid", "--ipc", "--fork", "--kill-child", "--"])
            .args(["/bin/sh", "-c", SCRIPT, "node"])
            .arg(&ready);
        let log = dir.join("space.log");
        let mut process =
            Process::spawn("unshare", &command, &log).map_err(Error::io("run", Path::new("unshare")))?;
        let pid = until("the namespaces of the node", PATIENCE, || {
            if let Some(status) = process.try_exit() {
                return Ok(Err(status));
            }
            let text = fs::read_to_string(&ready).map_err(|error| error.to_string())?;
            text.trim().parse().map(Ok).map_err(|_| text)
        })
        .map_err(|said| Error::Command { command: "unshare".to_owned(), said })?;
        match pid {
            Ok(pid) => Ok(Self { process, pid }),
            Err(status) => {
                let tail = crate::error::read_tail(&log);
                Err(Error::Ended { program: "unshare".to_owned(), status, log, tail })
            }
        }
    }

    /// Of the first process, as this machine counts.
    pub(crate) fn pid(&self) -> u32 {
        self.pid
    }

    /// A command that runs a program inside.
    pub(crate) fn command(&self, program: &Path) -> Command {
        let mut command = Command::new("nsenter");
        command
            .args(["--target", &self.pid.to_string(), "--mount", "--net", "--pid", "--ipc", "--"])
            .arg(program);
        command
    }
}

impl Drop for Space {
    fn drop(&mut self) {
        let _ = self.process.kill();
        self.process.wait(PATIENCE);
        // The first process is the last to go: as long as it is there, so are mounts in the folder of this instance.
        let stat = format!("/proc/{}", self.pid);
        let _ = until("the end of the node", PATIENCE, || {
            if Path::new(&stat).exists() { Err("still there") } else { Ok(()) }
        });
    }
}
