// SPDX-License-Identifier: Apache-2.0
//! A cluster with a node, the images on it, brokers beside it, and the operator in it as pods.

use std::cell::OnceCell;
use std::path::Path;
use std::process::Output;
use std::time::Duration;

use serde_json::{Value, json};
use testbed::keda::Keda;
use testbed::metrics_server::MetricsServer;
use testbed::{ControlPlane, Node, NodePrograms, Options, until};

use crate::brokers::{RabbitMq, Redis};
use crate::experiments::flower;
use crate::{Error, brokers, images, install};

/// Generous: whoever else uses this machine, what works is not waited for.
pub(crate) const PATIENCE: Duration = Duration::from_mins(5);

/// Everything that an experiment needs. Experiments share it: a node takes longer to come up than most of them last.
pub(crate) struct Stage {
    // Dropped in this order: what scales, what runs on the node, the node, the control plane.
    keda: OnceCell<Keda>,
    metrics_server: OnceCell<MetricsServer>,
    pub(crate) broker: Redis,
    /// Where the sample application writes down what it did.
    pub(crate) ledger: Redis,
    _rabbitmq: RabbitMq,
    node: Node,
    pub(crate) plane: ControlPlane,
}

impl Stage {
    /// Brings everything up, for this static program of the operator.
    ///
    /// # Errors
    /// When anything does not come up.
    pub(crate) fn set(program: &Path) -> Result<Self, Error> {
        let missing = missing_packages();
        if !missing.is_empty() {
            let missing = missing.join(" ");
            return Err(
                format!("experiments need programs that are not here: apt-get install {missing}").into()
            );
        }
        // What takes minutes the first time comes before what runs.
        let programs = NodePrograms::locate_or_build()?;
        let sample = images::sample()?;
        testbed::tools::helm()?;
        eprintln!("e2e: a control plane and a node");
        let options = Options { node: true, aggregation: true, ..Options::default() };
        let plane = ControlPlane::start(options)?;
        let node = Node::join(&plane, &programs)?;
        eprintln!("e2e: images and brokers");
        let operator = plane.dir().join("celery-operator.tar");
        images::operator(program, &images::OPERATOR_TAGS, &operator)?;
        node.import(&operator)?;
        node.import(&sample)?;
        let broker = Redis::start(&node, "broker", 6379, plane.dir())?;
        let ledger = Redis::start(&node, "ledger", 6380, plane.dir())?;
        let rabbitmq = RabbitMq::start(&node, plane.dir())?;
        let (keda, metrics_server) = Default::default();
        let stage = Self { keda, metrics_server, broker, ledger, _rabbitmq: rabbitmq, node, plane };
        eprintln!("e2e: the operator");
        install::install(&stage)?;
        Ok(stage)
    }

    /// Has KEDA run from now on. It is there for who asks for it: its programs take long to build.
    ///
    /// # Errors
    /// When it does not come up.
    pub(crate) fn bring_keda(&self) -> Result<(), Error> {
        if self.keda.get().is_none() {
            let _ = self.keda.set(Keda::start(&self.plane)?);
        }
        Ok(())
    }

    /// Has metrics-server run from now on.
    ///
    /// # Errors
    /// When it does not come up.
    pub(crate) fn bring_metrics_server(&self) -> Result<(), Error> {
        if self.metrics_server.get().is_none() {
            let _ = self.metrics_server.set(MetricsServer::start(&self.plane)?);
        }
        Ok(())
    }

    /// A broker that can be stopped without losing anything, for one experiment.
    ///
    /// # Errors
    /// When it does not come up.
    pub(crate) fn durable_broker(&self) -> Result<Redis, Error> {
        Redis::start_durable(&self.node, "durable", 6381, self.plane.dir())
    }

    /// Says which program beside the pods has ended by itself.
    ///
    /// # Errors
    /// When one has.
    pub(crate) fn check_alive(&mut self) -> Result<(), Error> {
        self.keda.get_mut().map_or(Ok(()), Keda::check_alive)?;
        self.metrics_server.get_mut().map_or(Ok(()), MetricsServer::check_alive)?;
        Ok(self.node.check_alive()?)
    }

    /// What kubectl prints.
    ///
    /// # Errors
    /// When it fails: what it said.
    pub(crate) fn kubectl(&self, arguments: &[&str]) -> Result<String, Error> {
        let output = self.plane.kubectl().args(arguments).output()?;
        printed(&output).map_err(|said| format!("kubectl {}: {said}", arguments.join(" ")).into())
    }

    /// An object, or a list of them.
    ///
    /// # Errors
    /// When there is none.
    pub(crate) fn get(&self, arguments: &[&str]) -> Result<Value, Error> {
        Ok(serde_json::from_str(&self.kubectl(&[&["get", "--output=json"], arguments].concat())?)?)
    }

    /// Applies objects in YAML or JSON.
    ///
    /// # Errors
    /// When one is refused: why.
    pub(crate) fn apply(&self, objects: &str, arguments: &[&str]) -> Result<String, Error> {
        Ok(printed(&self.plane.kubectl_apply(objects, arguments)?)?)
    }

    /// Makes a namespace where `restricted` is enforced, as in a cluster that is taken care of.
    ///
    /// # Errors
    /// When kubectl cannot.
    pub(crate) fn namespace(&self, name: &str) -> Result<(), Error> {
        let labels = json!({ "pod-security.kubernetes.io/enforce": "restricted" });
        let namespace = json!({
            "apiVersion": "v1", "kind": "Namespace", "metadata": { "name": name, "labels": labels },
        });
        self.apply(&namespace.to_string(), &[]).map(drop)
    }

    /// Brings an archive of an image onto the node.
    ///
    /// # Errors
    /// When it is none.
    pub(crate) fn import(&self, archive: &Path) -> Result<(), Error> {
        Ok(self.node.import(archive)?)
    }

    /// Keeps all logs when the stage is dropped, and says where they are.
    pub(crate) fn keep(&mut self) -> &Path {
        self.plane.keep();
        self.plane.dir()
    }
}

/// Packages of programs that experiments need beside those of a node.
fn missing_packages() -> Vec<&'static str> {
    [
        (brokers::REDIS, "redis-server"),
        (brokers::RABBITMQ, "rabbitmq-server"),
        (images::DEBOOTSTRAP, "debootstrap"),
        (flower::CURL, "curl"),
        (flower::CHROMIUM, "chromium"),
    ]
    .into_iter()
    .filter(|(program, _)| !Path::new(program).is_file())
    .map(|(_, package)| package)
    .collect()
}

/// Waits until something holds.
///
/// # Errors
/// When it does not in time: what was seen last.
pub(crate) fn wait_for<T>(
    what: &str,
    mut look: impl FnMut() -> Result<Result<T, String>, Error>,
) -> Result<T, Error> {
    Ok(until(what, PATIENCE, || match look() {
        Ok(seen) => seen,
        // A connection may break while things are being broken.
        Err(error) => Err(error.to_string()),
    })?)
}

/// What a program has printed.
///
/// # Errors
/// What it said when it failed.
pub(crate) fn printed(output: &Output) -> Result<String, String> {
    if output.status.success() {
        Ok(String::from_utf8_lossy(&output.stdout).into_owned())
    } else {
        Err(String::from_utf8_lossy(&output.stderr).trim().to_owned())
    }
}
