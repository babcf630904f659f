// SPDX-License-Identifier: Apache-2.0
//! KEDA out of its own Go module: its custom resource definitions, and its programs as processes of this machine beside a
//! control plane.

mod site;

use std::fs;
use std::path::PathBuf;

use self::site::Site;
use crate::companion::{Group, await_programs};
use crate::control_plane::ControlPlane;
use crate::error::Error;
use crate::process::Process;
use crate::tools;

/// The release whose definitions and programs are used.
pub const VERSION: &str = "v2.21.0";

pub(crate) const MODULE: &str = "github.com/kedacore/keda/v2";

/// What autoscalers ask for, and who answers.
const METRICS: Group = Group {
    name: "external.metrics.k8s.io",
    version: "v1beta1",
    namespace: site::NAMESPACE,
    service: "keda-metrics-apiserver",
};

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

/// The folder of KEDA's own kustomization for the whole of it, as pods in the namespace `keda`. The first call on a machine
/// downloads the module.
///
/// # Errors
/// When there is no Go toolchain, or the module cannot be downloaded.
pub fn kustomization() -> Result<PathBuf, Error> {
    Ok(tools::download(MODULE, VERSION)?.join("config/default"))
}

/// KEDA, whole: the operator, the server of metrics and the webhooks. All of them end when this is dropped; their objects
/// stay.
#[derive(Debug)]
pub struct Keda {
    programs: Vec<Process>,
}

impl Keda {
    /// Installs KEDA's definitions, starts its programs and waits until the API server gets metrics from them. The first
    /// call on a machine builds them, in a quarter of an hour.
    ///
    /// # Errors
    /// When the control plane was started without [`Options::aggregation`](crate::Options), a program cannot be built or
    /// ends, or they do not become ready.
    pub fn start(plane: &ControlPlane) -> Result<Self, Error> {
        if !plane.aggregates() {
            return Err(Error::NoAggregation { program: "KEDA's server of metrics" });
        }
        // What takes minutes the first time comes before what runs.
        let programs = [tools::keda_webhooks()?, tools::keda_operator()?, tools::keda_adapter()?];
        let [webhooks, operator, adapter] = &programs;
        let site = Site::prepare(plane)?;
        let (operator, grpc_port) = site.operator(operator)?;
        let (adapter, port) = site.adapter(adapter, grpc_port)?;
        let mut programs = vec![site.webhooks(webhooks)?, operator, adapter];
        METRICS.register(plane, port, site.authority())?;
        await_programs(&mut programs, "the metrics of KEDA", || METRICS.is_available(plane))?;
        Ok(Self { programs })
    }

    /// Says which program has ended by itself, and why.
    ///
    /// # Errors
    /// When one has.
    pub fn check_alive(&mut self) -> Result<(), Error> {
        self.programs.iter_mut().try_for_each(Process::check_alive)
    }
}

/// Installs KEDA's definitions, starts its webhooks alone and waits until they listen: they judge, and nothing is scaled.
/// The first call on a machine builds them, in minutes.
///
/// # Errors
/// When they cannot be built, end, or do not listen in time.
pub fn start_webhooks(plane: &ControlPlane) -> Result<Process, Error> {
    let program = tools::keda_webhooks()?;
    Site::prepare(plane)?.webhooks(&program)
}
