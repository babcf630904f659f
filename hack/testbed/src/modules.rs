// SPDX-License-Identifier: Apache-2.0
//! Definitions of other operators, read from their own Go modules.
//!
//! They are downloaded into Go's module cache and read there, so that tests use exactly what a release ships and
//! this repository carries no copy of it.

use std::env;
use std::path::{Path, PathBuf};

use crate::Error;
use crate::toolchain;

/// Downloads a module, such as `example.com/module@v1.2.3`, when it is not in Go's cache yet, and returns its folder
/// there.
pub(crate) fn download(module: &str) -> Result<PathBuf, Error> {
    let output = toolchain::go("the custom resource definitions of other operators")?
        .args(["mod", "download", "-json", module])
        // Outside of any module of the caller, whose go.sum has nothing to say about this.
        .current_dir(env::temp_dir())
        .output()
        .map_err(Error::io("run", Path::new("go")))?;
    folder(&output.stdout).map_err(|reason| {
        let stderr = String::from_utf8_lossy(&output.stderr);
        let reason = reason.unwrap_or_else(|| stderr.trim().to_owned());
        Error::Download { module: module.to_owned(), reason }
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
