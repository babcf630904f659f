// SPDX-License-Identifier: Apache-2.0
//! What KEDA's programs find when they start, and their command lines.

use std::net::{Ipv4Addr, TcpStream};
use std::path::Path;
use std::process::Command;
use std::slice;

use serde_json::{Value, json};

use super::{METRICS, crds};
use crate::companion::{Certificates, await_programs, base64, namespace};
use crate::control_plane::ControlPlane;
use crate::error::Error;
use crate::node::network::succeed;
use crate::objects::{apply, condition, get};
use crate::ports::free_ports;
use crate::process::Process;

/// Where KEDA's own objects are.
pub(super) const NAMESPACE: &str = "keda";

/// A control plane with KEDA's definitions and namespace, and the certificates of its programs.
pub(super) struct Site<'p> {
    plane: &'p ControlPlane,
    certificates: Certificates,
}

impl<'p> Site<'p> {
    /// Installs the definitions and waits until they are served: programs of KEDA end where they are not.
    pub(super) fn prepare(plane: &'p ControlPlane) -> Result<Self, Error> {
        let mut kubectl = plane.kubectl();
        kubectl.args(["apply", "--server-side"]);
        for file in crds()? {
            kubectl.arg("-f").arg(file);
        }
        succeed(&mut kubectl)?;
        await_programs(&mut [], "the definitions of KEDA", || {
            let definitions = get(plane, &["crd"])?;
            let mut definitions = definitions["items"].as_array().into_iter().flatten();
            definitions.try_for_each(|definition| condition(definition, "Established"))
        })?;
        namespace(plane, NAMESPACE)?;
        // One authority and one certificate for all: the server of metrics asks the operator, and each verifies the other.
        let certificates = Certificates::write(plane.dir().join("keda"), METRICS.host_names())?;
        Ok(Self { plane, certificates })
    }

    /// Who has signed the certificate of the programs.
    pub(super) fn authority(&self) -> &str {
        &self.certificates.ca
    }

    /// Starts the webhooks, waits until they listen, and has the API server ask them.
    pub(super) fn webhooks(&self, program: &Path) -> Result<Process, Error> {
        let [port, probes] = self.ports()?;
        let mut process = self.spawn(
            "keda-webhooks",
            program,
            &[format!("--port={port}"), probe(probes), "--metrics-bind-address=0".to_owned()],
        )?;
        await_programs(slice::from_mut(&mut process), "the webhooks of KEDA", || {
            TcpStream::connect((Ipv4Addr::LOCALHOST, port)).map(drop).map_err(|error| error.to_string())
        })?;
        apply(self.plane, &webhook_configuration(port, &base64(self.authority().as_bytes())))?;
        Ok(process)
    }

    /// Starts the operator; the port is where it tells metrics.
    pub(super) fn operator(&self, program: &Path) -> Result<(Process, u16), Error> {
        let [port, probes] = self.ports()?;
        let process = self.spawn(
            "keda-operator",
            program,
            &[
                format!("--metrics-service-bind-address=127.0.0.1:{port}"),
                "--enable-cert-rotation=false".to_owned(),
                "--enable-prometheus-metrics=false".to_owned(),
                probe(probes),
            ],
        )?;
        Ok((process, port))
    }

    /// Starts the server of metrics, which asks the operator on its port; the port is where it answers.
    pub(super) fn adapter(&self, program: &Path, operator: u16) -> Result<(Process, u16), Error> {
        let [port, metrics_of_its_own] = self.ports()?;
        let kubeconfig = self.plane.kubeconfig().display();
        let process = self.spawn(
            "keda-adapter",
            program,
            &[
                format!("--secure-port={port}"),
                "--bind-address=127.0.0.1".to_owned(),
                format!("--port={metrics_of_its_own}"),
                format!("--metrics-service-address=127.0.0.1:{operator}"),
                format!("--lister-kubeconfig={kubeconfig}"),
                format!("--authentication-kubeconfig={kubeconfig}"),
                format!("--authorization-kubeconfig={kubeconfig}"),
                self.certificates.flag("tls-cert-file", "tls.crt"),
                self.certificates.flag("tls-private-key-file", "tls.key"),
                self.certificates.flag("client-ca-file", "ca.crt"),
            ],
        )?;
        Ok((process, port))
    }

    fn spawn(&self, name: &str, program: &Path, arguments: &[String]) -> Result<Process, Error> {
        let mut command = Command::new(program);
        command
            .arg(format!("--cert-dir={}", self.certificates.folder().display()))
            .args(arguments)
            .env("KUBECONFIG", self.plane.kubeconfig())
            // All of them.
            .env("WATCH_NAMESPACE", "")
            .env("POD_NAMESPACE", NAMESPACE)
            .env("KEDA_CLUSTER_OBJECT_NAMESPACE", NAMESPACE);
        let log = self.plane.dir().join(format!("{name}.log"));
        Process::spawn(name, &command, &log).map_err(Error::io("run", program))
    }

    fn ports<const N: usize>(&self) -> Result<[u16; N], Error> {
        free_ports().map_err(Error::io("find free ports for", self.plane.dir()))
    }
}

fn probe(port: u16) -> String {
    format!("--health-probe-bind-address=127.0.0.1:{port}")
}

/// What the API server asks KEDA about.
fn webhook_configuration(port: u16, ca_bundle: &str) -> Value {
    let webhook = |name: &str, plural: &str| {
        json!({
            "name": format!("{name}.kb.io"),
            "clientConfig": {
                "url": format!("https://127.0.0.1:{port}/validate-keda-sh-v1alpha1-{name}"),
                "caBundle": ca_bundle,
            },
            "rules": [{
                "apiGroups": ["keda.sh"], "apiVersions": ["v1alpha1"], "operations": ["CREATE", "UPDATE"],
                "resources": [plural], "scope": "Namespaced",
            }],
            "failurePolicy": "Fail", "sideEffects": "None", "admissionReviewVersions": ["v1"], "timeoutSeconds": 10,
        })
    };
    json!({
        "apiVersion": "admissionregistration.k8s.io/v1", "kind": "ValidatingWebhookConfiguration",
        "metadata": { "name": "keda-admission" },
        "webhooks": [
            webhook("scaledobject", "scaledobjects"),
            webhook("triggerauthentication", "triggerauthentications"),
        ],
    })
}
