// SPDX-License-Identifier: Apache-2.0
//! The golden files.

use std::error::Error;
use std::fs;
use std::path::PathBuf;

use serde_json::Value;

/// What is rendered for one object.
pub(crate) struct Case {
    /// Name of the case.
    pub(crate) name: String,
    /// Where it lies.
    pub(crate) file: PathBuf,
    /// Its documents, in the order in which they are applied.
    pub(crate) documents: Vec<Value>,
}

/// Every case, by name.
pub(crate) fn cases() -> Result<Vec<Case>, Box<dyn Error>> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/golden");
    let mut cases = Vec::new();
    for entry in fs::read_dir(folder)? {
        let file = entry?.path();
        let name = file
            .file_name()
            .and_then(|name| name.to_str())
            .and_then(|name| name.strip_suffix(".children.yaml"));
        if let Some(name) = name.map(str::to_owned) {
            let documents = serde_saphyr::from_multiple(&fs::read_to_string(&file)?)?;
            cases.push(Case { name, file, documents });
        }
    }
    if cases.is_empty() {
        return Err(format!("no golden files in {folder}").into());
    }
    cases.sort_by(|one, other| one.name.cmp(&other.name));
    Ok(cases)
}
