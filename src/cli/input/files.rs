// SPDX-License-Identifier: Apache-2.0
//! Which files a path means.

use std::ffi::OsStr;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// Endings of files that are read in folders; a file that is named itself may end as it likes.
const ENDINGS: &[&str] = &["yaml", "yml", "json"];
/// Deepest folder below the named one.
const MAX_DEPTH: usize = 64;

/// The file itself, or the manifests of a folder and of the folders below, sorted. Hidden ones are left out, and so are
/// links to folders, which may lead in a circle.
///
/// # Errors
/// The path that cannot be read, and why.
pub(super) fn below(path: &Path) -> Result<Vec<PathBuf>, (PathBuf, io::Error)> {
    let about = fs::metadata(path).map_err(|error| (path.to_owned(), error))?;
    if !about.is_dir() {
        return Ok(vec![path.to_owned()]);
    }
    let mut files = Vec::new();
    gather(path, 0, &mut files)?;
    Ok(files)
}

fn gather(folder: &Path, depth: usize, files: &mut Vec<PathBuf>) -> Result<(), (PathBuf, io::Error)> {
    let told = |error| (folder.to_owned(), error);
    let entries: Result<Vec<fs::DirEntry>, io::Error> = fs::read_dir(folder).map_err(told)?.collect();
    let mut paths: Vec<PathBuf> = entries.map_err(told)?.iter().map(fs::DirEntry::path).collect();
    paths.sort();
    for path in paths.into_iter().filter(|path| !is_hidden(path)) {
        if path.is_dir() {
            if depth < MAX_DEPTH && !path.is_symlink() {
                gather(&path, depth + 1, files)?;
            }
        } else if path.extension().and_then(OsStr::to_str).is_some_and(|ending| ENDINGS.contains(&ending)) {
            files.push(path);
        }
    }
    Ok(())
}

fn is_hidden(path: &Path) -> bool {
    path.file_name().is_some_and(|name| name.as_encoded_bytes().starts_with(b"."))
}
