// SPDX-License-Identifier: Apache-2.0
//! What the offline commands read: files, folders, standard input; YAML and JSON; several documents and lists.
//!
//! Nothing that can be in a file ends the process: what cannot be read is told with its line, the rest goes on. Lines
//! are kept, because a finding is worth little without the place to mend.

mod files;
mod node;
mod parse;
mod scalar;
mod split;

use std::fs;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde_json::Value;

use crate::rules::visible;
pub(super) use node::Node;
pub(super) use parse::RENDER_FIRST;

/// Largest file that is read: more is no manifest, and reading it would take the machine's memory.
const MAX_FILE: u64 = 64 * 1024 * 1024;
/// How standard input is called.
const STDIN: &str = "-";

/// One Kubernetes object of the input.
#[derive(Debug)]
pub(super) struct Object {
    /// The file.
    pub(super) file: Arc<str>,
    /// As it is written.
    pub(super) node: Node,
    /// What it means: the JSON that kubectl would send.
    pub(super) value: Value,
    /// The version of the `CeleryList` that it is an item of, empty when that has none.
    pub(super) list: Option<Arc<str>>,
}

/// What could not be read.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Unreadable {
    /// The file.
    pub(super) file: Arc<str>,
    /// Where, when the trouble has a place; from 1.
    pub(super) line: Option<usize>,
    /// Why, and what to do.
    pub(super) why: String,
}

/// Everything that was read.
#[derive(Debug, Default)]
pub(super) struct Input {
    /// How many files were opened.
    pub(super) files: usize,
    /// The objects, in the order of the input.
    pub(super) objects: Vec<Object>,
    /// What could not be read.
    pub(super) unreadable: Vec<Unreadable>,
}

/// Reads files, folders and `-`.
pub(super) fn read(paths: &[PathBuf]) -> Input {
    let mut input = Input::default();
    for path in paths {
        if path.as_os_str() == STDIN {
            input.take(Arc::from("stdin"), read_bounded(io::stdin().lock()));
            continue;
        }
        match files::below(path) {
            Ok(files) => {
                for file in files {
                    input.take(shown(&file), open(&file));
                }
            }
            Err((at, error)) => input.refuse(shown(&at), None, error.to_string()),
        }
    }
    input
}

impl Input {
    fn refuse(&mut self, file: Arc<str>, line: Option<usize>, why: String) {
        // A parser may repeat what it has read.
        let why = visible(&why).into_owned();
        self.unreadable.push(Unreadable { file, line, why });
    }

    fn take(&mut self, file: Arc<str>, bytes: io::Result<Vec<u8>>) {
        self.files += 1;
        match bytes {
            Err(error) => self.refuse(file, None, error.to_string()),
            Ok(bytes) => match str::from_utf8(&bytes) {
                Ok(text) => self.documents(&file, text),
                Err(error) => {
                    let readable = bytes.get(..error.valid_up_to()).unwrap_or_default();
                    let line = readable.split(|byte| *byte == b'\n').count();
                    self.refuse(file, Some(line), "is not UTF-8; save it as UTF-8".to_owned());
                }
            },
        }
    }

    fn documents(&mut self, file: &Arc<str>, text: &str) {
        for chunk in split::chunks(text) {
            let read = parse::nodes(&chunk);
            // Of several values of JSON each is a document, although together they are no YAML.
            match if read.is_err() { split::values(&chunk) } else { Vec::new() }.as_slice() {
                [] | [_] => self.document(file, read),
                values => values.iter().for_each(|value| self.document(file, parse::nodes(value))),
            }
        }
    }

    fn document(&mut self, file: &Arc<str>, read: Result<Vec<Node>, parse::Defect>) {
        match read {
            Ok(nodes) => nodes.into_iter().for_each(|node| self.objects_of(file, node, None)),
            Err(parse::Defect { line, why }) => self.refuse(Arc::clone(file), Some(line), why),
        }
    }

    /// An object, or the items of a list of objects.
    fn objects_of(&mut self, file: &Arc<str>, node: Node, list: Option<&Arc<str>>) {
        let kind = node.text_at("kind").unwrap_or_default();
        let is_list = kind.ends_with("List");
        let version = || Arc::from(node.text_at("apiVersion").unwrap_or_default());
        let own = (kind == "CeleryList").then(version);
        match node.take_items(is_list) {
            Ok(items) => items.into_iter().for_each(|item| self.objects_of(file, item, own.as_ref())),
            Err(node) => {
                let value = node.value();
                self.objects.push(Object { file: Arc::clone(file), node, value, list: list.cloned() });
            }
        }
    }
}

fn shown(path: &Path) -> Arc<str> {
    Arc::from(path.to_string_lossy())
}

fn open(path: &Path) -> io::Result<Vec<u8>> {
    read_bounded(fs::File::open(path)?)
}

fn read_bounded(source: impl io::Read) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    source.take(MAX_FILE + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > MAX_FILE {
        return Err(io::Error::new(
            io::ErrorKind::FileTooLarge,
            format!("is larger than {} MiB", MAX_FILE / 1024 / 1024),
        ));
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests;
