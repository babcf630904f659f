// SPDX-License-Identifier: Apache-2.0
//! metrics-server out of its own Go module: what autoscalers are told about cpu and memory of pods, and `kubectl top` too.

use std::path::Path;
use std::process::Command;
use std::slice;

use crate::companion::{Certificates, Group, await_programs};
use crate::control_plane::ControlPlane;
use crate::error::Error;
use crate::node;
use crate::objects::get;
use crate::ports::free_port;
use crate::process::Process;
use crate::tools;

/// The release that is used.
pub const VERSION: &str = "v0.9.0";

pub(crate) const MODULE: &str = "sigs.k8s.io/metrics-server";

const METRICS: Group =
    Group { name: "metrics.k8s.io", version: "v1beta1", namespace: "kube-system", service: "metrics-server" };
/// How often it asks the node; it takes no less.
const RESOLUTION: &str = "10s";
/// How long the node may take to answer, which has to be less.
const ANSWER_WITHIN: &str = "8s";

/// metrics-server as a process of this machine. It ends when this is dropped; its objects stay.
#[derive(Debug)]
pub struct MetricsServer {
    process: Process,
}

impl MetricsServer {
    /// Starts it beside a control plane that a [`Node`](crate::Node) has joined, and waits until it has figures of that
    /// node. The first call on a machine builds it, in minutes.
    ///
    /// # Errors
    /// When the control plane was started without [`Options::aggregation`](crate::Options), the program cannot be built
    /// or ends, or it has no figures in time, as without a node.
    pub fn start(plane: &ControlPlane) -> Result<Self, Error> {
        if !plane.aggregates() {
            return Err(Error::NoAggregation { program: "metrics-server" });
        }
        let program = tools::metrics_server()?;
        let certificates = Certificates::write(plane.dir().join("metrics-server"), METRICS.host_names())?;
        let port = free_port().map_err(Error::io("find a free port for", plane.dir()))?;
        let command = command(&program, plane, &certificates, port);
        let log = plane.dir().join("metrics-server.log");
        let mut process =
            Process::spawn("metrics-server", &command, &log).map_err(Error::io("run", &program))?;
        METRICS.register(plane, port, &certificates.ca)?;
        await_programs(slice::from_mut(&mut process), "the metrics of the node", || {
            METRICS.is_available(plane)?;
            let metrics = get(plane, &["nodes.metrics.k8s.io", node::NAME])?;
            metrics["usage"]["cpu"].as_str().map(drop).ok_or_else(|| metrics.to_string())
        })?;
        Ok(Self { process })
    }

    /// Says that it has ended by itself, and why.
    ///
    /// # Errors
    /// When it has.
    pub fn check_alive(&mut self) -> Result<(), Error> {
        self.process.check_alive()
    }
}

fn command(program: &Path, plane: &ControlPlane, certificates: &Certificates, port: u16) -> Command {
    let kubeconfig = plane.kubeconfig().display();
    let of_kubelet = |flag: &str, file: &str| format!("--{flag}={}", plane.dir().join(file).display());
    let mut command = Command::new(program);
    command
        .args([
            format!("--secure-port={port}"),
            "--bind-address=127.0.0.1".to_owned(),
            format!("--metric-resolution={RESOLUTION}"),
            format!("--kubelet-request-timeout={ANSWER_WITHIN}"),
            format!("--kubeconfig={kubeconfig}"),
            format!("--authentication-kubeconfig={kubeconfig}"),
            format!("--authorization-kubeconfig={kubeconfig}"),
            format!("--cert-dir={}", certificates.folder().display()),
            certificates.flag("tls-cert-file", "tls.crt"),
            certificates.flag("tls-private-key-file", "tls.key"),
            // kubelet signs its own certificate, and takes the one of the API server from who asks.
            "--kubelet-insecure-tls".to_owned(),
            "--kubelet-preferred-address-types=InternalIP".to_owned(),
            of_kubelet("kubelet-client-certificate", "kubelet-client.crt"),
            of_kubelet("kubelet-client-key", "kubelet-client.key"),
        ])
        // The node is no further away than the other end of a cable.
        .env("NO_PROXY", "*");
    command
}
