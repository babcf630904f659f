// SPDX-License-Identifier: Apache-2.0
//! Definitions of the Prometheus operator, read from the Prometheus operator's own Go module.

use std::path::PathBuf;

use crate::Error;
use crate::tools;

/// The release whose definitions are used.
pub const VERSION: &str = "v0.85.0";

const MODULE: &str = "github.com/prometheus-operator/prometheus-operator";
const FOLDER: &str = "example/prometheus-operator-crd";

/// The file with the definition of `ServiceMonitor`. The first call on a machine downloads the module.
///
/// # Errors
/// When there is no Go toolchain, or the module cannot be downloaded.
pub fn service_monitors() -> Result<PathBuf, Error> {
    definition("servicemonitors")
}

/// The file with the definition of `PrometheusRule`.
///
/// # Errors
/// As for [`service_monitors`].
pub fn rules() -> Result<PathBuf, Error> {
    definition("prometheusrules")
}

fn definition(plural: &str) -> Result<PathBuf, Error> {
    let file = format!("monitoring.coreos.com_{plural}.yaml");
    Ok(tools::download(MODULE, VERSION)?.join(FOLDER).join(file))
}
