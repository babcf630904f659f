// SPDX-License-Identifier: Apache-2.0
//! A child process that cannot outlive its owner.
//!
//! `PR_SET_PDEATHSIG` would need `pre_exec`, which is `unsafe`, and it fires when the spawning *thread* ends. Here
//! the program is started by a few lines of shell instead (`guard.sh`), which leave a guard in the program's
//! process group: it waits for the end of a pipe that only the owner holds, and then kills the group. The shell
//! itself becomes the program (`exec`), so process id, exit status and signals are those of the real program.

use std::ffi::OsStr;
use std::fs::OpenOptions;
use std::io;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, kill_process, kill_process_group, waitid};

use crate::error::{Error, read_tail};

const GUARD: &str = include_str!("guard.sh");
const POLL: Duration = Duration::from_millis(10);

/// A running program with its own process group, which ends when this value is dropped and also when the owning
/// process ends in any way: normally, by Ctrl-C, by a panic or by SIGKILL.
///
/// A grandchild ends with it as long as it stays in the process group, that is, unless it calls `setsid`.
#[derive(Debug)]
pub struct Process {
    name: String,
    log: PathBuf,
    /// Also holds the write end of the guard's pipe.
    child: Child,
    pid: Pid,
    status: Option<ExitStatus>,
}

impl Process {
    /// Starts `command` with standard input closed, and output and errors appended to the file `log`. `name` is
    /// for messages.
    ///
    /// Program, arguments, folder and the variables set or removed by name are taken from `command`; its
    /// `env_clear` and its redirections cannot be seen from outside and are not.
    ///
    /// # Errors
    /// When the log cannot be opened, or a program given as a path does not exist. A program that is looked up in
    /// `PATH` and is not there ends at once with status 127 and says so in the log.
    pub fn spawn(name: &str, command: &Command, log: &Path) -> io::Result<Self> {
        let program = command.get_program();
        if is_path(program) {
            Path::new(program)
                .metadata()
                .map_err(|error| io::Error::new(error.kind(), format!("{}: {error}", program.display())))?;
        }
        let output = OpenOptions::new()
            .create(true)
            .append(true)
            .open(log)
            .map_err(|error| io::Error::new(error.kind(), format!("{}: {error}", log.display())))?;
        let mut guarded = Command::new("/bin/sh");
        guarded.arg("-c").arg(GUARD).arg(name).arg(program).args(command.get_args());
        for (key, value) in command.get_envs() {
            match value {
                Some(value) => guarded.env(key, value),
                None => guarded.env_remove(key),
            };
        }
        if let Some(folder) = command.get_current_dir() {
            guarded.current_dir(folder);
        }
        let child = guarded
            .stdin(Stdio::piped())
            .stdout(output.try_clone()?)
            .stderr(output)
            .process_group(0)
            .spawn()?;
        let pid = Pid::from_child(&child);
        Ok(Self { name: name.to_owned(), log: log.to_owned(), child, pid, status: None })
    }

    /// Asks the program to end (SIGTERM). Nothing happens when it is known to have ended.
    ///
    /// # Errors
    /// When the kernel refuses the signal.
    pub fn terminate(&self) -> io::Result<()> {
        self.signal(Signal::TERM)
    }

    /// Ends the program without asking (SIGKILL).
    ///
    /// # Errors
    /// When the kernel refuses the signal.
    pub fn kill(&self) -> io::Result<()> {
        self.signal(Signal::KILL)
    }

    /// Freezes the program (SIGSTOP): it keeps its connections and answers nothing. [`Process::cont`] undoes it.
    ///
    /// # Errors
    /// When the kernel refuses the signal.
    pub fn stop(&self) -> io::Result<()> {
        self.signal(Signal::STOP)
    }

    /// Lets a frozen program go on (SIGCONT).
    ///
    /// # Errors
    /// When the kernel refuses the signal.
    pub fn cont(&self) -> io::Result<()> {
        self.signal(Signal::CONT)
    }

    /// Waits for the end of the program, for at most `timeout`; `None` means that it still runs.
    pub fn wait(&mut self, timeout: Duration) -> Option<ExitStatus> {
        let deadline = Instant::now() + timeout;
        loop {
            let status = self.try_exit();
            if status.is_some() || Instant::now() >= deadline {
                return status;
            }
            thread::sleep(POLL);
        }
    }

    /// The exit status when the program has ended, `None` while it runs. What it left behind in its process group
    /// is ended too.
    pub fn try_exit(&mut self) -> Option<ExitStatus> {
        if self.status.is_none() && self.has_ended() {
            self.reap();
        }
        self.status
    }

    /// Says that the program has ended by itself, and why.
    ///
    /// # Errors
    /// When it has.
    pub fn check_alive(&mut self) -> Result<(), Error> {
        let Some(status) = self.try_exit() else { return Ok(()) };
        let (program, log) = (self.name.clone(), self.log.clone());
        let tail = read_tail(&log);
        Err(Error::Ended { program, status, log, tail })
    }

    /// The process id of the program itself, to measure or signal it.
    #[must_use]
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// The name given to [`Process::spawn`].
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The file with everything the program wrote.
    #[must_use]
    pub fn log(&self) -> &Path {
        &self.log
    }

    fn signal(&self, signal: Signal) -> io::Result<()> {
        // Once reaped, the number may belong to a stranger.
        if self.status.is_some() { Ok(()) } else { Ok(kill_process(self.pid, signal)?) }
    }

    /// Looks without reaping: the zombie keeps the number of its process group from being given away, so that
    /// `reap` cannot hit anybody else.
    fn has_ended(&self) -> bool {
        let look = WaitIdOptions::EXITED | WaitIdOptions::NOWAIT | WaitIdOptions::NOHANG;
        matches!(waitid(WaitId::Pid(self.pid), look), Ok(Some(_)))
    }

    fn reap(&mut self) {
        // The guard itself is always left in the group; an error here means that nobody is.
        let _ = kill_process_group(self.pid, Signal::KILL);
        self.status = self.child.wait().ok();
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        if self.status.is_none() {
            self.reap();
        }
    }
}

fn is_path(program: &OsStr) -> bool {
    program.as_encoded_bytes().contains(&b'/')
}
