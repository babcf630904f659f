// SPDX-License-Identifier: Apache-2.0
//! A layer: an archive of files, and what it is called by.

use std::fs::File;
use std::io::{self, BufReader, BufWriter, Read, Write};
use std::path::{Path, PathBuf};

use sha2::{Digest as _, Sha256};
use tar::{EntryType, Header};

/// A layer in a file of its own, not compressed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Layer {
    pub(super) file: PathBuf,
    /// In hexadecimal digits.
    pub(super) sha256: String,
    /// In bytes.
    pub(super) size: u64,
}

/// One thing in a layer. All of them belong to root and have no time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    path: String,
    mode: u32,
    /// Nothing for a folder.
    from: Option<PathBuf>,
}

impl Entry {
    /// A folder that everybody may look into.
    #[must_use]
    pub fn folder(path: &str) -> Self {
        Self { path: path.to_owned(), mode: 0o755, from: None }
    }

    /// A file with what another file holds.
    #[must_use]
    pub fn file(path: &str, mode: u32, from: &Path) -> Self {
        Self { path: path.to_owned(), mode, from: Some(from.to_owned()) }
    }
}

impl Layer {
    /// Writes a layer out of these things, in this order.
    ///
    /// # Errors
    /// When a file cannot be read or the layer not be written.
    pub fn of_entries(entries: &[Entry], to: &Path) -> io::Result<Self> {
        let mut archive = tar::Builder::new(BufWriter::new(create(to)?));
        for entry in entries {
            append(&mut archive, entry)?;
        }
        archive.into_inner()?.flush()?;
        Self::of_archive(to)
    }

    /// A layer that is there already, as a tar file.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn of_archive(file: &Path) -> io::Result<Self> {
        let (sha256, size) = digest(&mut open(file)?)?;
        Ok(Self { file: file.to_owned(), sha256, size })
    }

    /// How others refer to it.
    #[must_use]
    pub fn digest(&self) -> String {
        format!("sha256:{}", self.sha256)
    }
}

pub(super) fn open(path: &Path) -> io::Result<BufReader<File>> {
    Ok(BufReader::new(File::open(path).map_err(|error| named(path, &error))?))
}

pub(super) fn create(path: &Path) -> io::Result<File> {
    File::create(path).map_err(|error| named(path, &error))
}

fn named(path: &Path, error: &io::Error) -> io::Error {
    io::Error::new(error.kind(), format!("{}: {error}", path.display()))
}

fn append(archive: &mut tar::Builder<impl Write>, entry: &Entry) -> io::Result<()> {
    match &entry.from {
        Some(from) => {
            let content = File::open(from).map_err(|error| named(from, &error))?;
            let size = content.metadata()?.len();
            append_bytes(archive, (&entry.path, entry.mode, EntryType::Regular), size, content)
        }
        None => append_bytes(archive, (&entry.path, entry.mode, EntryType::Directory), 0, io::empty()),
    }
}

/// One thing in an archive, of root's and without a time.
pub(super) fn append_bytes(
    archive: &mut tar::Builder<impl Write>,
    (path, mode, kind): (&str, u32, EntryType),
    size: u64,
    content: impl Read,
) -> io::Result<()> {
    let mut header = Header::new_gnu();
    header.set_entry_type(kind);
    header.set_mode(mode);
    header.set_size(size);
    header.set_uid(0);
    header.set_gid(0);
    header.set_mtime(0);
    archive.append_data(&mut header, path, content)
}

/// The SHA-256 of everything that comes, and how much it was.
fn digest(content: &mut impl Read) -> io::Result<(String, u64)> {
    let mut hash = Sha256::new();
    let size = io::copy(content, &mut hash)?;
    Ok((hex(&hash.finalize()), size))
}

pub(super) fn hex(bytes: &[u8]) -> String {
    bytes
        .iter()
        .flat_map(|byte| [byte >> 4, byte & 15])
        .filter_map(|digit| char::from_digit(digit.into(), 16))
        .collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use std::fs;
    use tempfile::TempDir;

    #[test]
    fn the_same_files_make_the_same_layer() {
        let dir = TempDir::new().unwrap();
        let program = dir.path().join("program");
        fs::write(&program, "echo").unwrap();
        let entries = [Entry::folder("bin"), Entry::file("bin/program", 0o755, &program)];
        let one = Layer::of_entries(&entries, &dir.path().join("one")).unwrap();
        File::open(&program).unwrap().set_modified(std::time::SystemTime::UNIX_EPOCH).unwrap();
        let two = Layer::of_entries(&entries, &dir.path().join("two")).unwrap();
        assert_eq!(one.sha256, two.sha256);
        fs::write(&program, "other").unwrap();
        let three = Layer::of_entries(&entries, &dir.path().join("three")).unwrap();
        assert_ne!(one.sha256, three.sha256);
        assert_eq!(three.size, fs::metadata(dir.path().join("three")).unwrap().len());
    }

    #[test]
    fn a_layer_is_a_tar_file_of_roots() {
        let dir = TempDir::new().unwrap();
        let program = dir.path().join("program");
        fs::write(&program, "echo").unwrap();
        let entries = [Entry::folder("bin"), Entry::file("bin/program", 0o755, &program)];
        let layer = Layer::of_entries(&entries, &dir.path().join("layer")).unwrap();
        let mut archive = tar::Archive::new(File::open(&layer.file).unwrap());
        let seen: Vec<(String, u32, u64, bool)> = archive
            .entries()
            .unwrap()
            .map(|entry| {
                let entry = entry.unwrap();
                let (header, path) = (entry.header(), entry.path().unwrap());
                let is_folder = header.entry_type().is_dir();
                (path.display().to_string(), header.mode().unwrap(), header.uid().unwrap(), is_folder)
            })
            .collect();
        assert_eq!(seen.len(), 2);
        assert_eq!(seen[1], ("bin/program".to_owned(), 0o755, 0, false));
        assert!(seen[0].3);
    }

    #[test]
    fn a_digest_is_what_everybody_else_computes() {
        let (sha256, size) = digest(&mut "abc".as_bytes()).unwrap();
        assert_eq!(sha256, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
        assert_eq!(size, 3);
    }

    #[test]
    fn a_missing_file_is_named() {
        let dir = TempDir::new().unwrap();
        let entries = [Entry::file("x", 0o644, Path::new("/nowhere/x"))];
        let error = Layer::of_entries(&entries, &dir.path().join("layer")).unwrap_err();
        assert!(error.to_string().contains("/nowhere/x"), "{error}");
    }
}
