// SPDX-License-Identifier: Apache-2.0
//! What can go wrong, in sentences that say the way out.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::ExitStatus;

const TAIL_LINES: usize = 15;

/// Why there is no control plane.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// Neither `XDG_CACHE_HOME` nor `HOME` says where built programs are kept.
    #[error("no folder for built programs: set HOME or XDG_CACHE_HOME to an absolute path")]
    NoCacheFolder,

    /// `KUBEBUILDER_ASSETS` names something that is no folder.
    #[error("KUBEBUILDER_ASSETS is {}, which is no folder: correct it, or unset it to have the programs built", folder.display())]
    NoAssets {
        /// What it names.
        folder: PathBuf,
    },

    /// Programs have to be built, or a module downloaded, and there is no Go toolchain.
    #[error(
        "no Go toolchain in PATH, and it is needed for {needed_for}: install Go {version} or later, or set \
         KUBEBUILDER_ASSETS to a folder that holds etcd, kube-apiserver, kube-controller-manager and kubectl"
    )]
    GoMissing {
        /// What Go was wanted for.
        needed_for: String,
        /// The oldest version that will do.
        version: &'static str,
    },

    /// A `go.mod` of this crate does not pin what it should.
    #[error("{go_mod} does not require {module}: add it, the version is read from there")]
    NotPinned {
        /// Which file.
        go_mod: &'static str,
        /// Which module is missing in it.
        module: &'static str,
    },

    /// `go build` failed.
    #[error(
        "building {program} failed ({status}); the end of {}:\n{tail}\n\
         correct what it names and start again, finished programs are kept",
        log.display()
    )]
    Build {
        /// The program that was being built.
        program: &'static str,
        /// How `go build` ended.
        status: ExitStatus,
        /// Everything `go build` said.
        log: PathBuf,
        /// The last lines of it.
        tail: String,
    },

    /// A program of the control plane ended without being asked to.
    #[error(
        "{program} ended by itself ({status}); the end of its log {}:\n{tail}",
        log.display()
    )]
    Ended {
        /// The program that ended.
        program: String,
        /// How it ended.
        status: ExitStatus,
        /// Everything it said.
        log: PathBuf,
        /// The last lines of it.
        tail: String,
    },

    /// The control plane runs and does not become ready.
    #[error(
        "the control plane was not ready after {seconds} s, still waiting for {waiting_for} (last answer: {answer}); \
         raise Options::ready_within on a busy machine, otherwise see the end of the log {}:\n{tail}",
        log.display()
    )]
    NotReady {
        /// What had not happened.
        waiting_for: &'static str,
        /// How long it was waited for.
        seconds: u64,
        /// What the last try was answered.
        answer: String,
        /// Everything the program in question said.
        log: PathBuf,
        /// The last lines of it.
        tail: String,
    },

    /// A certificate or key could not be made.
    #[error("cannot make the certificates of the control plane: {0}")]
    Certificate(#[from] rcgen::Error),

    /// A Go module could not be had.
    #[error("cannot download {module}: {reason}; see that the Go module proxy answers")]
    Download {
        /// Module and version.
        module: String,
        /// What `go mod download` said.
        reason: String,
    },

    /// A node is to run, and this is not root.
    #[error(
        "a node needs root, for namespaces, mounts and control groups: run this as root, or in a virtual machine"
    )]
    NotRoot,

    /// Programs of a node come with packages that are not installed.
    #[error("a node needs programs that are not here: apt-get install {packages}")]
    PackagesMissing {
        /// Names of Debian packages, with blanks between them.
        packages: String,
    },

    /// There is one node at a time on a machine.
    #[error("another node runs on this machine, and there is room for one: wait for its end ({} is locked)", lock.display())]
    NodeRuns {
        /// What the owner of a node holds locked.
        lock: PathBuf,
    },

    /// The node runs and does not become ready.
    #[error("the node was not ready in time: {said}; its logs are in {}", logs.display())]
    NodeNotReady {
        /// What was waited for, and seen last.
        said: String,
        /// Folder of the logs of its programs.
        logs: PathBuf,
    },

    /// An image could not be made or taken over.
    #[error("the image {image}: {said}")]
    Image {
        /// Its name.
        image: String,
        /// What went wrong.
        said: String,
    },

    /// kubectl or the operator's program did not do what it was told.
    #[error("{command} failed:\n{said}")]
    Command {
        /// What was run.
        command: String,
        /// What it said.
        said: String,
    },

    /// The operator ended, or runs and does not become ready.
    #[error("the operator is not ready: {said}; the end of its log {}:\n{}", log.display(), read_tail(log))]
    OperatorNotReady {
        /// How it ended, or what it answered last.
        said: String,
        /// Everything it logged.
        log: PathBuf,
    },

    /// A program beside the API server runs and does not become ready.
    #[error("{program} is not ready: {said}; the end of its log {}:\n{}", log.display(), read_tail(log))]
    CompanionNotReady {
        /// Its name.
        program: String,
        /// What was waited for, and seen last.
        said: String,
        /// Everything it logged.
        log: PathBuf,
    },

    /// The API server hands nothing on to other programs.
    #[error("{program} answers for the API server: start the control plane with Options::aggregation")]
    NoAggregation {
        /// Who would answer.
        program: &'static str,
    },

    /// A file, folder or program could not be used.
    #[error("cannot {doing} {}: {source}", path.display())]
    Io {
        /// What was being done.
        doing: &'static str,
        /// With which file or program.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
}

impl Error {
    /// The mapping for `map_err` on I/O: "cannot `doing` `path`: …".
    pub(crate) fn io(doing: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        move |source| Self::Io { doing, path: path.to_owned(), source }
    }

    /// Whether another program took a port between the choice of it and its use, so that another try will help.
    pub(crate) fn is_port_taken(&self) -> bool {
        matches!(self, Self::Ended { tail, .. } if tail.contains("address already in use"))
    }
}

/// The last lines of a log file, for a message.
pub(crate) fn read_tail(log: &Path) -> String {
    let text = fs::read(log).unwrap_or_default();
    last_lines(&String::from_utf8_lossy(&text), TAIL_LINES)
}

/// The last `count` lines that say something, indented.
fn last_lines(text: &str, count: usize) -> String {
    let lines: Vec<&str> = text.lines().filter(|line| !line.trim().is_empty()).collect();
    let from = lines.len().saturating_sub(count);
    lines[from..].iter().map(|line| format!("  {line}")).collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::last_lines;

    #[test]
    fn the_tail_skips_empty_lines_and_keeps_the_end() {
        assert_eq!(last_lines("a\n\nb\nc\n\n", 2), "  b\n  c");
        assert_eq!(last_lines("", 2), "");
    }
}
