// SPDX-License-Identifier: Apache-2.0
//! KEDA's custom resource definitions, read from KEDA's own Go module.
//!
//! They are downloaded into Go's module cache and read there, so that tests use exactly what a release ships and
//! this repository carries no copy of it.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};

use crate::Error;
use crate::toolchain;

/// The release whose definitions are used.
pub const VERSION: &str = "v2.21.0";

const MODULE: &str = "github.com/kedacore/keda/v2";

/// The files with KEDA's custom resource definitions, sorted by name. The first call on a machine downloads the
/// module.
///
/// # Errors
/// When there is no Go toolchain, or the module cannot be downloaded or read.
pub fn crds() -> Result<Vec<PathBuf>, Error> {
    let folder = download()?.join("config/crd/bases");
    let entries = fs::read_dir(&folder).map_err(Error::io("read the folder", &folder))?;
    let mut files = entries
        .map(|entry| entry.map(|entry| entry.path()))
        .collect::<Result<Vec<_>, _>>()
        .map_err(Error::io("read the folder", &folder))?;
    files.retain(|file| file.extension().is_some_and(|extension| extension == "yaml"));
    files.sort();
    Ok(files)
}

/// Downloads the module when it is not in Go's cache yet, and returns its folder there.
fn download() -> Result<PathBuf, Error> {
    let module = format!("{MODULE}@{VERSION}");
    let output = toolchain::go("the custom resource definitions of KEDA")?
        .args(["mod", "download", "-json", &module])
        // Outside of any module of the caller, whose go.sum has nothing to say about this.
        .current_dir(env::temp_dir())
        .output()
        .map_err(Error::io("run", Path::new("go")))?;
    folder(&output.stdout).map_err(|reason| {
        let stderr = String::from_utf8_lossy(&output.stderr);
        let reason = reason.unwrap_or_else(|| stderr.trim().to_owned());
        Error::Download { module, reason }
    })
}

/// The module's folder in the answer of `go mod download -json`, or the reason why there is none.
fn folder(answer: &[u8]) -> Result<PathBuf, Option<String>> {
    let answer: serde_json::Value = serde_json::from_slice(answer).map_err(|_| None)?;
    match (answer["Error"].as_str(), answer["Dir"].as_str()) {
        (None, Some(folder)) => Ok(PathBuf::from(folder)),
        (reason, _) => Err(reason.map(str::to_owned)),
    }
}

#[cfg(test)]
mod tests {
    use super::folder;
    use std::path::PathBuf;

    #[test]
    fn an_answer_is_a_folder_or_a_reason() {
        assert_eq!(folder(br#"{"Path": "m", "Dir": "/cache/m"}"#), Ok(PathBuf::from("/cache/m")));
        assert_eq!(folder(br#"{"Path": "m", "Error": "no network"}"#), Err(Some("no network".to_owned())));
        assert_eq!(folder(b""), Err(None));
    }
}
