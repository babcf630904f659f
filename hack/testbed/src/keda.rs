// SPDX-License-Identifier: Apache-2.0
//! KEDA's custom resource definitions, read from KEDA's own Go module.

use std::fs;
use std::path::PathBuf;

use crate::Error;
use crate::tools;

/// The release whose definitions are used.
pub const VERSION: &str = "v2.21.0";

pub(crate) const MODULE: &str = "github.com/kedacore/keda/v2";

/// The files with KEDA's custom resource definitions, sorted by name. The first call on a machine downloads the
/// module.
///
/// # Errors
/// When there is no Go toolchain, or the module cannot be downloaded or read.
pub fn crds() -> Result<Vec<PathBuf>, Error> {
    let folder = tools::download(MODULE, VERSION)?.join("config/crd/bases");
    let entries = fs::read_dir(&folder).map_err(Error::io("read the folder", &folder))?;
    let mut files = entries
        .map(|entry| entry.map(|entry| entry.path()))
        .collect::<Result<Vec<_>, _>>()
        .map_err(Error::io("read the folder", &folder))?;
    files.retain(|file| file.extension().is_some_and(|extension| extension == "yaml"));
    files.sort();
    Ok(files)
}
