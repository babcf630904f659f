// SPDX-License-Identifier: Apache-2.0
//! The definition of the Operator Lifecycle Manager's `ClusterServiceVersion`, read from its own Go module.

use std::path::PathBuf;

use crate::Error;
use crate::tools;

/// The release whose definition is used.
pub const VERSION: &str = "v0.42.0";

const MODULE: &str = "github.com/operator-framework/api";
const FILE: &str = "crds/operators.coreos.com_clusterserviceversions.yaml";

/// The file with the definition. The first call on a machine downloads the module.
///
/// # Errors
/// When there is no Go toolchain, or the module cannot be downloaded.
pub fn cluster_service_versions() -> Result<PathBuf, Error> {
    Ok(tools::download(MODULE, VERSION)?.join(FILE))
}
