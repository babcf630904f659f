// SPDX-License-Identifier: Apache-2.0
//! The folder of one instance: removed at the end, kept after a failure, swept up after an abrupt end.
//!
//! A test run that is stopped by Ctrl-C, or holds its instance in a static, never runs a destructor, and an
//! instance weighs more than 100 MB because etcd allocates its log in advance. So every owner locks a file in its
//! folder, and who comes later removes the folders whose lock nobody holds.

use std::env;
use std::fs::{self, File};
use std::io;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use tempfile::TempDir;

const PREFIX: &str = "celery-operator-testbed-";
const LOCK: &str = "owner.lock";

/// A younger folder is left alone: its owner may be between creating the lock file and locking it.
const SWEPT_AFTER: Duration = Duration::from_mins(1);

/// A temporary folder with a living owner.
#[derive(Debug)]
pub(crate) struct Scratch {
    dir: TempDir,
    /// Locked as long as it is open.
    _lock: File,
}

impl Scratch {
    pub(crate) fn create() -> io::Result<Self> {
        sweep(&env::temp_dir());
        // The administrator's token is in it.
        let private = fs::Permissions::from_mode(0o700);
        let dir = tempfile::Builder::new().prefix(PREFIX).permissions(private).tempdir()?;
        let lock = File::create(dir.path().join(LOCK))?;
        lock.lock()?;
        Ok(Self { dir, _lock: lock })
    }

    pub(crate) fn path(&self) -> &Path {
        self.dir.path()
    }

    /// Leaves the folder to whoever wants to look into it, for good.
    pub(crate) fn keep(&mut self) {
        self.dir.disable_cleanup(true);
        // Without the lock file no sweep takes it for abandoned.
        let _ = fs::remove_file(self.path().join(LOCK));
    }
}

/// Removes abandoned folders. Whatever fails is left for the next time: they may be somebody else's.
fn sweep(parent: &Path) {
    let Ok(entries) = fs::read_dir(parent) else { return };
    for entry in entries.flatten() {
        if entry.file_name().to_string_lossy().starts_with(PREFIX) && is_abandoned(&entry.path().join(LOCK)) {
            let _ = fs::remove_dir_all(entry.path());
        }
    }
}

fn is_abandoned(lock: &PathBuf) -> bool {
    let Ok(file) = File::open(lock) else { return false };
    let age =
        file.metadata().and_then(|metadata| metadata.modified()).ok().and_then(|then| then.elapsed().ok());
    age.is_some_and(|age| age > SWEPT_AFTER) && file.try_lock().is_ok()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::{LOCK, PREFIX, SWEPT_AFTER, Scratch, sweep};
    use std::fs::{self, File};
    use std::path::{Path, PathBuf};
    use std::time::SystemTime;
    use tempfile::TempDir;

    fn instance(parent: &Path, name: &str) -> (PathBuf, File) {
        let dir = parent.join(format!("{PREFIX}{name}"));
        fs::create_dir(&dir).unwrap();
        let lock = File::create(dir.join(LOCK)).unwrap();
        lock.set_modified(SystemTime::now() - 2 * SWEPT_AFTER).unwrap();
        (dir, lock)
    }

    #[test]
    fn only_abandoned_folders_are_swept() {
        let parent = TempDir::new().unwrap();
        let (abandoned, _) = instance(parent.path(), "abandoned");
        let (in_use, owner) = instance(parent.path(), "in-use");
        owner.lock().unwrap();
        let (young, lock) = instance(parent.path(), "young");
        lock.set_modified(SystemTime::now()).unwrap();
        let (kept, _) = instance(parent.path(), "kept");
        fs::remove_file(kept.join(LOCK)).unwrap();

        sweep(parent.path());

        assert!(!abandoned.exists());
        assert!(in_use.exists() && young.exists() && kept.exists());
    }

    #[test]
    fn a_folder_is_removed_unless_it_is_kept() {
        let scratch = Scratch::create().unwrap();
        let removed = scratch.path().to_owned();
        drop(scratch);
        assert!(!removed.exists());

        let mut scratch = Scratch::create().unwrap();
        scratch.keep();
        let kept = scratch.path().to_owned();
        drop(scratch);
        assert!(kept.exists());
        fs::remove_dir_all(kept).unwrap();
    }
}
