// SPDX-License-Identifier: Apache-2.0
//! The definitions of what users write for Argo CD and Flux, read from their own Go modules.

use std::path::PathBuf;

use crate::Error;
use crate::tools;

/// The releases whose definitions are used.
const ARGO_CD: (&str, &str, &str) =
    ("github.com/argoproj/argo-cd/v3", "v3.5.7", "manifests/crds/application-crd.yaml");
const FLUX: (&str, &str, &str) = (
    "github.com/fluxcd/kustomize-controller",
    "v1.9.6",
    "config/crd/bases/kustomize.toolkit.fluxcd.io_kustomizations.yaml",
);

/// The files with the definitions of `Application` and `Kustomization`. The first call on a machine downloads the
/// modules, 60 MB.
///
/// # Errors
/// When there is no Go toolchain, or a module cannot be downloaded.
pub fn crds() -> Result<[PathBuf; 2], Error> {
    let file = |(module, version, file)| tools::download(module, version).map(|folder| folder.join(file));
    Ok([file(ARGO_CD)?, file(FLUX)?])
}
