// SPDX-License-Identifier: Apache-2.0
//! A control plane with the operator's manifests, and the operator beside it.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::{LazyLock, Mutex, MutexGuard, PoisonError};
use std::thread;

use kube::Client;
use serde_json::Value;
use testbed::{ControlPlane, Operator, Options, Process};

use crate::http::{self, Answer, JSON};
use crate::shop;
use crate::space::{collection, condition};
use crate::wait::until;

/// The operator's program.
const PROGRAM: &str = env!("CARGO_BIN_EXE_celery-operator");

/// With all definitions, webhooks and the operator: for all tests that need nothing special.
pub(crate) fn shared() -> &'static Rig {
    static SHARED: LazyLock<Rig> = LazyLock::new(|| Rig::start(Setup::default()));
    &SHARED
}

/// The definition alone: nobody but the schema judges, nobody reconciles.
pub(crate) fn bare() -> &'static Rig {
    static BARE: LazyLock<Rig> =
        LazyLock::new(|| Rig::start(Setup { keda: false, operator: false, arguments: &[] }));
    &BARE
}

/// What a rig consists of.
#[derive(Clone, Copy)]
pub(crate) struct Setup {
    /// The definitions of KEDA and of the Prometheus operator; they themselves never run.
    pub(crate) keda: bool,
    /// The operator, and the webhook configurations that lead to it.
    pub(crate) operator: bool,
    /// Further arguments of the operator.
    pub(crate) arguments: &'static [&'static str],
}

impl Default for Setup {
    fn default() -> Self {
        Self { keda: true, operator: true, arguments: &[] }
    }
}

/// A control plane, set up.
pub(crate) struct Rig {
    // Dropped in this order: the operator before what it talks to.
    operator: Mutex<Option<Process>>,
    plane: Mutex<ControlPlane>,
    pub(crate) launch: Operator,
    pub(crate) client: Client,
    pub(crate) audit_log: PathBuf,
    /// Of the administrator.
    pub(crate) kubeconfig: PathBuf,
    dir: PathBuf,
}

impl Rig {
    /// Starts a rig; the operator is ready and the webhooks are in force.
    pub(crate) fn start(setup: Setup) -> Self {
        let plane = start_plane();
        let mut launch = Operator::install(&plane, Path::new(PROGRAM), setup.operator).unwrap();
        launch.arguments = setup.arguments.iter().map(|&argument| argument.to_owned()).collect();
        let rig = Self {
            operator: Mutex::default(),
            client: http::client(plane.kubeconfig()),
            audit_log: plane.audit_log().unwrap().to_owned(),
            kubeconfig: plane.kubeconfig().to_owned(),
            dir: plane.dir().to_owned(),
            launch,
            plane: Mutex::new(plane),
        };
        if setup.keda {
            rig.install_keda();
            rig.install_monitors();
        }
        if setup.operator {
            rig.start_operator();
            rig.await_webhooks();
        }
        rig
    }

    /// Applies the webhook configurations.
    pub(crate) fn install_webhooks(&self) {
        self.launch.install_webhooks(&lock(&self.plane)).unwrap();
    }

    /// The API server reads its configurations a moment after they were written.
    pub(crate) fn await_webhooks(&self) {
        let bad = shop::with("spec: {common: {image: My/App}}");
        let path = format!("{}?dryRun=All", collection("celeries", "default"));
        until("the webhooks are in force", || {
            let answer = self.send("POST", &path, JSON, Some(&bad));
            if answer.code == 422 { Ok(()) } else { Err(format!("{answer:?}")) }
        });
    }

    /// A kind is served a moment after its definition was written.
    pub(crate) fn await_kind(&self, definition: &str) {
        let path = format!("/apis/apiextensions.k8s.io/v1/customresourcedefinitions/{definition}");
        until("the definition is established", || {
            let object = self.send("GET", &path, JSON, None).success();
            let established = &condition(&object, "Established")["status"];
            if established == "True" { Ok(()) } else { Err(object["status"].to_string()) }
        });
    }

    /// Installs KEDA's definitions.
    pub(crate) fn install_keda(&self) {
        let mut kubectl = self.kubectl();
        kubectl.args(["apply", "--server-side"]);
        for file in testbed::keda::crds().unwrap() {
            kubectl.arg("-f").arg(file);
        }
        succeeded(&kubectl.output().unwrap());
        self.await_kind("scaledobjects.keda.sh");
    }

    /// Installs the definition of `ServiceMonitor`.
    pub(crate) fn install_monitors(&self) {
        let mut kubectl = self.kubectl();
        kubectl.args(["apply", "--server-side", "-f"]).arg(testbed::prometheus::service_monitors().unwrap());
        succeeded(&kubectl.output().unwrap());
        self.await_kind("servicemonitors.monitoring.coreos.com");
    }

    /// Starts the operator and waits until it is ready.
    pub(crate) fn start_operator(&self) {
        let process = self.launch.start().unwrap();
        *lock(&self.operator) = Some(process);
    }

    /// The operator's process.
    pub(crate) fn operator(&self) -> MutexGuard<'_, Option<Process>> {
        lock(&self.operator)
    }

    /// The operator's process id; fails when it has ended.
    #[track_caller]
    pub(crate) fn operator_pid(&self) -> u32 {
        let mut operator = self.operator();
        let operator = operator.as_mut().unwrap();
        assert_eq!(operator.try_exit(), None, "the operator ended, see {}", operator.log().display());
        operator.id()
    }

    /// kubectl of the administrator.
    pub(crate) fn kubectl(&self) -> Command {
        lock(&self.plane).kubectl()
    }

    /// kubectl with these arguments and this input.
    pub(crate) fn run(&self, arguments: &[&str], input: &str) -> Output {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), input).unwrap();
        self.kubectl().args(arguments).stdin(file.reopen().unwrap()).output().unwrap()
    }

    /// What kubectl prints when it succeeds, as it must.
    #[track_caller]
    pub(crate) fn succeed(&self, arguments: &[&str]) -> String {
        succeeded(&self.run(arguments, ""))
    }

    /// One request of the administrator.
    pub(crate) fn send(&self, method: &str, path: &str, content_type: &str, body: Option<&Value>) -> Answer {
        http::send(&self.client, method, path, content_type, body)
    }

    /// Keeps the logs and says where they are.
    pub(crate) fn keep_logs(&self) {
        lock(&self.plane).keep();
        eprintln!("the logs of control plane and operator are kept in {}", self.dir.display());
    }
}

/// One after the other: a controller manager gives up when its API server is not healthy within 10 s, and on few cores
/// several that start at once keep each other from it.
fn start_plane() -> ControlPlane {
    static TURN: Mutex<()> = Mutex::new(());
    let _turn = lock(&TURN);
    ControlPlane::start(Options { audit: true, ..Options::default() }).unwrap()
}

impl Drop for Rig {
    fn drop(&mut self) {
        if thread::panicking() {
            self.keep_logs();
        }
    }
}

/// Standard output of a success.
#[track_caller]
pub(crate) fn succeeded(output: &Output) -> String {
    let (stdout, stderr) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "kubectl: {stdout}{stderr}");
    stdout.into_owned()
}

/// A failed test leaves a lock poisoned; the others go on.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
