// SPDX-License-Identifier: Apache-2.0
//! Programs that judge what is rendered or scale what runs, built from their own Go modules, once for each user and version.

use std::env;
use std::fs;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::path::{Path, PathBuf};

use crate::binaries::{build_in, lock, user_cache};
use crate::{Error, keda, metrics_server, toolchain};

/// The release of kubeconform.
pub const KUBECONFORM_VERSION: &str = "v0.8.0";

/// kubeconform, which holds manifests against JSON schemas. Built at the first call on a machine, in seconds.
///
/// # Errors
/// When there is no Go toolchain, or the module cannot be downloaded or built.
pub fn kubeconform() -> Result<PathBuf, Error> {
    tool(
        "github.com/yannh/kubeconform",
        &Tool {
            program: "kubeconform",
            version: KUBECONFORM_VERSION,
            package: "./cmd/kubeconform",
            ldflags: "-s -w",
            takes: "a few seconds",
        },
    )
}

/// The release of kube-score.
pub const KUBE_SCORE_VERSION: &str = "v1.20.0";

/// kube-score, which looks for what is unwise in manifests. Built at the first call on a machine, in a minute.
///
/// # Errors
/// When there is no Go toolchain, or the module cannot be downloaded or built.
pub fn kube_score() -> Result<PathBuf, Error> {
    tool(
        "github.com/zegl/kube-score",
        &Tool {
            program: "kube-score",
            version: KUBE_SCORE_VERSION,
            package: "./cmd/kube-score",
            ldflags: "-s -w",
            takes: "a minute",
        },
    )
}

/// The release of Helm.
pub const HELM_VERSION: &str = "v3.22.0";

/// Helm. Built at the first call on a machine, in minutes.
///
/// # Errors
/// When there is no Go toolchain, or the module cannot be downloaded or built.
pub fn helm() -> Result<PathBuf, Error> {
    tool(
        "helm.sh/helm/v3",
        &Tool {
            program: "helm",
            version: HELM_VERSION,
            package: "./cmd/helm",
            // Without these it takes every cluster that it does not ask for one of long ago.
            ldflags: "-s -w -X helm.sh/helm/v3/internal/version.version=v3.22.0 \
                  -X helm.sh/helm/v3/pkg/chartutil.k8sVersionMajor=1 \
                  -X helm.sh/helm/v3/pkg/chartutil.k8sVersionMinor=36 \
                  -X helm.sh/helm/v3/pkg/lint/rules.k8sVersionMajor=1 \
                  -X helm.sh/helm/v3/pkg/lint/rules.k8sVersionMinor=36",
            takes: "2 minutes",
        },
    )
}

/// The release of Traefik: the newest whose modules the public proxy has, all of them.
pub const TRAEFIK_VERSION: &str = "v3.6.12";

/// Traefik, an Ingress controller. Built at the first call on a machine, in minutes.
///
/// # Errors
/// When there is no Go toolchain, or the module cannot be downloaded or built.
pub fn traefik() -> Result<PathBuf, Error> {
    tool(
        "github.com/traefik/traefik/v3",
        &Tool {
            program: "traefik",
            version: TRAEFIK_VERSION,
            package: "./cmd/traefik",
            ldflags: "-s -w",
            takes: "6 minutes",
        },
    )
}

/// KEDA's admission webhooks. Built at the first call on a machine, in minutes.
///
/// # Errors
/// When there is no Go toolchain, or the module cannot be downloaded or built.
pub fn keda_webhooks() -> Result<PathBuf, Error> {
    of_keda("keda-webhooks", "./cmd/webhooks", "4 minutes")
}

/// KEDA's operator. Built at the first call on a machine, in minutes.
///
/// # Errors
/// When there is no Go toolchain, or the module cannot be downloaded or built.
pub fn keda_operator() -> Result<PathBuf, Error> {
    of_keda("keda-operator", "./cmd/operator", "4 to 9 minutes")
}

/// KEDA's server of metrics. Built at the first call on a machine, in minutes.
///
/// # Errors
/// When there is no Go toolchain, or the module cannot be downloaded or built.
pub fn keda_adapter() -> Result<PathBuf, Error> {
    of_keda("keda-adapter", "./cmd/adapter", "2 minutes")
}

fn of_keda(program: &'static str, package: &'static str, takes: &'static str) -> Result<PathBuf, Error> {
    let version = keda::VERSION;
    tool(keda::MODULE, &Tool { program, version, package, ldflags: "-s -w", takes })
}

/// metrics-server. Built at the first call on a machine, in minutes.
///
/// # Errors
/// When there is no Go toolchain, or the module cannot be downloaded or built.
pub fn metrics_server() -> Result<PathBuf, Error> {
    tool(
        metrics_server::MODULE,
        &Tool {
            program: "metrics-server",
            version: metrics_server::VERSION,
            package: "./cmd/metrics-server",
            ldflags: "-s -w",
            takes: "3 minutes",
        },
    )
}

/// What Argo CD and Flux make of objects, by their own code: `gitops/main.go` of this crate says how it is asked. Built
/// at the first call on a machine, in a minute or two, and when it was changed.
///
/// # Errors
/// When there is no Go toolchain, or what it needs cannot be downloaded or built.
pub fn gitops() -> Result<PathBuf, Error> {
    let module = Path::new(env!("CARGO_MANIFEST_DIR")).join("gitops");
    let mut hasher = DefaultHasher::new();
    [include_str!("../gitops/main.go"), include_str!("../gitops/go.mod"), include_str!("../gitops/go.sum")]
        .hash(&mut hasher);
    let version = format!("{:016x}", hasher.finish());
    let tool =
        Tool { program: "gitops", version: &version, package: ".", ldflags: "-s -w", takes: "2 minutes" };
    built(&tool, || Ok(module))
}

struct Tool<'v> {
    program: &'static str,
    version: &'v str,
    /// Built where the module lies, with its own go.mod: what it replaces there, `go install` would refuse.
    package: &'static str,
    ldflags: &'static str,
    /// On two cores, from a cold cache.
    takes: &'static str,
}

/// The program of a module that somebody publishes.
fn tool(module: &str, tool: &Tool<'_>) -> Result<PathBuf, Error> {
    built(tool, || download(module, tool.version))
}

/// The program of this version, built from the module's folder when it is not there yet.
fn built(tool: &Tool<'_>, module: impl FnOnce() -> Result<PathBuf, Error>) -> Result<PathBuf, Error> {
    let Tool { program, version, package, ldflags, takes } = *tool;
    let folder = user_cache()?.join("tools/bin");
    let complete = folder.join(format!("{program}-{version}"));
    if complete.is_file() {
        return Ok(complete);
    }
    fs::create_dir_all(&folder).map_err(Error::io("create the folder", &folder))?;
    let _lock = lock(&folder.join(format!("{program}.lock")))?;
    if !complete.is_file() {
        eprintln!("testbed: building {program} {version}, about {takes} on two cores, once per machine");
        build_in(&module()?, package, ldflags, (program, version), &complete)?;
    }
    Ok(complete)
}

/// Downloads a module when it is not in Go's cache yet, and returns its folder there.
pub(crate) fn download(module: &str, version: &str) -> Result<PathBuf, Error> {
    let module = format!("{module}@{version}");
    let output = toolchain::go(&format!("the Go module {module}"))?
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
