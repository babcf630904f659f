// SPDX-License-Identifier: Apache-2.0
//! The definition of `ServiceMonitor`, read from the Prometheus operator's own Go module.

use std::path::PathBuf;

use crate::Error;
use crate::tools;

/// The release whose definition is used.
pub const VERSION: &str = "v0.85.0";

const MODULE: &str = "github.com/prometheus-operator/prometheus-operator";
const FILE: &str = "example/prometheus-operator-crd/monitoring.coreos.com_servicemonitors.yaml";

/// The file with the definition. The first call on a machine downloads the module.
///
/// # Errors
/// When there is no Go toolchain, or the module cannot be downloaded.
pub fn service_monitors() -> Result<PathBuf, Error> {
    Ok(tools::download(MODULE, VERSION)?.join(FILE))
}
