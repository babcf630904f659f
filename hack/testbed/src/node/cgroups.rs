// SPDX-License-Identifier: Apache-2.0
//! The control groups under which kubelet puts pods: one folder in every hierarchy, the only thing of a node that the
//! kernel does not take away with its processes.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::{Error, until};

/// As kubelet is told it.
pub(crate) const ROOT: &str = "/celery-operator-node";

const HIERARCHIES: &str = "/sys/fs/cgroup";
/// Of the processors, in versions 1 and 2: as much as four processes of this machine. A group has no more than one without
/// it, however many pods are in it, and beside a compiler no probe is answered in time.
const SHARES: [(&str, &str); 2] = [("cpu.shares", "4096"), ("cpu.weight", "400")];
/// The kernel needs a moment between the end of a process and an empty group.
const PATIENCE: Duration = Duration::from_secs(10);

/// The folders, removed when this is dropped: after the processes in them.
#[derive(Debug)]
pub(crate) struct Cgroups {
    folders: Vec<PathBuf>,
}

impl Cgroups {
    /// Makes the folders, after removing what an earlier node has left.
    pub(crate) fn create() -> Result<Self, Error> {
        let name = ROOT.trim_start_matches('/');
        let folders: Vec<PathBuf> = hierarchies(Path::new(HIERARCHIES))
            .map_err(Error::io("read", Path::new(HIERARCHIES)))?
            .into_iter()
            .map(|hierarchy| hierarchy.join(name))
            .collect();
        for folder in &folders {
            remove(folder);
            fs::create_dir_all(folder).map_err(Error::io("create the control group", folder))?;
            for (file, share) in SHARES {
                let file = folder.join(file);
                if file.is_file() {
                    fs::write(&file, share).map_err(Error::io("write", &file))?;
                }
            }
        }
        Ok(Self { folders })
    }
}

impl Drop for Cgroups {
    fn drop(&mut self) {
        self.folders.iter().for_each(|folder| remove(folder));
    }
}

/// The one of version 2, or every controller's of version 1.
fn hierarchies(root: &Path) -> io::Result<Vec<PathBuf>> {
    if root.join("cgroup.controllers").is_file() {
        return Ok(vec![root.to_owned()]);
    }
    let mut folders = Vec::new();
    for entry in fs::read_dir(root)? {
        let entry = entry?;
        // `cpu` may be a link to `cpu,cpuacct`, which comes by itself.
        if entry.file_type()?.is_dir() && entry.path().join("cgroup.procs").is_file() {
            folders.push(entry.path());
        }
    }
    Ok(folders)
}

fn remove(folder: &Path) {
    let _ =
        until(
            "an empty control group",
            PATIENCE,
            || {
                if folder.exists() { remove_tree(folder) } else { Ok(()) }
            },
        );
}

/// Files of a control group cannot be removed and need not be.
fn remove_tree(folder: &Path) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            remove_tree(&entry.path())?;
        }
    }
    fs::remove_dir(folder)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::hierarchies;
    use std::fs;
    use tempfile::TempDir;

    #[test]
    fn both_versions_are_known() {
        let root = TempDir::new().unwrap();
        for controller in ["cpu,cpuacct", "memory", "no-hierarchy"] {
            fs::create_dir(root.path().join(controller)).unwrap();
        }
        std::os::unix::fs::symlink("cpu,cpuacct", root.path().join("cpu")).unwrap();
        for controller in ["cpu,cpuacct", "memory"] {
            fs::write(root.path().join(controller).join("cgroup.procs"), "").unwrap();
        }
        let mut found = hierarchies(root.path()).unwrap();
        found.sort();
        assert_eq!(found, [root.path().join("cpu,cpuacct"), root.path().join("memory")]);
        fs::write(root.path().join("cgroup.controllers"), "").unwrap();
        assert_eq!(hierarchies(root.path()).unwrap(), [root.path()]);
    }
}
