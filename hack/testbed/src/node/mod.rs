// SPDX-License-Identifier: Apache-2.0
//! A node: pods of a [`ControlPlane`] run here, have addresses, reach Services by name, and can be looked into.
//!
//! kubelet, kube-proxy, containerd, `CoreDNS` and the scheduler run in namespaces of their own (see `space`), so that
//! nothing of them is left on this machine however their owner ends. Root is needed for that.

mod cgroups;
mod config;
pub mod network;
mod programs;
mod space;

use std::env;
use std::fs::{self, File, TryLockError};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use self::cgroups::Cgroups;
use self::network::{Link, succeed};
use self::space::Space;
use crate::control_plane::ControlPlane;
use crate::error::Error;
use crate::image;
use crate::objects::{apply, condition, get};
use crate::process::Process;
use crate::until;

pub use programs::NodePrograms;

/// Name of the one node.
pub const NAME: &str = "node-1";
/// Holds a pod's namespaces; busybox is in it too.
pub const PAUSE_IMAGE: &str = "docker.io/local/pause:1";

/// containerd's name for what belongs to Kubernetes.
const NAMESPACE: &str = "k8s.io";
/// Also for a machine that compiles at the same time.
const READY_WITHIN: Duration = Duration::from_mins(3);

/// A running node. Dropped before its control plane it takes everything along.
#[derive(Debug)]
pub struct Node {
    // Dropped in this order: what starts pods, then the pods with their namespaces, then what is empty by then.
    programs: Vec<Process>,
    _link: Link,
    space: Space,
    _cgroups: Cgroups,
    dir: PathBuf,
    ctr: PathBuf,
    _lock: File,
}

impl Node {
    /// Joins a node to a control plane that was started with [`Options::node`](crate::Options), and waits until the
    /// node is ready and a pod has resolved the name of a Service.
    ///
    /// # Errors
    /// When this is not root, a program is missing, another node runs on this machine, or it does not become ready.
    pub fn join(plane: &ControlPlane, programs: &NodePrograms) -> Result<Self, Error> {
        let lock = lock()?;
        let dir = plane.dir().join("node");
        for folder in ["", "cni", "kubelet", "pods"] {
            let folder = dir.join(folder);
            fs::create_dir_all(&folder).map_err(Error::io("create the folder", &folder))?;
        }
        let cgroups = Cgroups::create()?;
        let space = Space::open(&dir)?;
        let link = Link::connect(&space)?;
        let ctr = programs.program("ctr");
        let mut node =
            Self { programs: vec![], _link: link, space, _cgroups: cgroups, dir, ctr, _lock: lock };
        node.start_containerd(programs)?;
        let pause = node.dir.join("pause.tar");
        image::pause(PAUSE_IMAGE, &programs.busybox, &pause)?;
        node.import(&pause)?;
        node.start_the_others(plane, programs)?;
        node.await_ready(plane)?;
        Ok(node)
    }

    /// Takes over the images of an archive, such as [`crate::image::Image::write`] makes.
    ///
    /// # Errors
    /// [`Error::Image`] with what containerd said.
    pub fn import(&self, archive: &Path) -> Result<(), Error> {
        let mut command = self.space.command(&self.ctr);
        command
            .args(["--address", &self.socket(), "--namespace", NAMESPACE, "images", "import"])
            .arg(archive);
        succeed(&mut command)
            .map_err(|error| Error::Image { image: archive.display().to_string(), said: error.to_string() })
    }

    /// A command that runs a program of this machine in the node's network.
    #[must_use]
    pub fn command(&self, program: &Path) -> Command {
        self.space.command(program)
    }

    /// Says which program has ended by itself, and why.
    ///
    /// # Errors
    /// When one has.
    pub fn check_alive(&mut self) -> Result<(), Error> {
        for process in &mut self.programs {
            process.check_alive()?;
        }
        Ok(())
    }

    fn socket(&self) -> String {
        self.dir.join(config::SOCKET).display().to_string()
    }

    fn write(&self, name: &str, text: &str) -> Result<PathBuf, Error> {
        let path = self.dir.join(name);
        fs::write(&path, text).map_err(Error::io("write", &path))?;
        Ok(path)
    }

    fn spawn(&mut self, name: &str, command: &mut Command) -> Result<(), Error> {
        let log = self.dir.join(format!("{name}.log"));
        let process = Process::spawn(name, command, &log).map_err(Error::io("run", Path::new(name)))?;
        self.programs.push(process);
        Ok(())
    }

    fn start_containerd(&mut self, programs: &NodePrograms) -> Result<(), Error> {
        self.write("cni/10-pods.conflist", &config::pod_network(&self.dir).to_string())?;
        let config =
            self.write("containerd.toml", &config::containerd(&self.dir, &programs.cni, &programs.runc))?;
        let mut command = self.space.command(&programs.program("containerd"));
        command.arg("--config").arg(config).env("PATH", programs.path());
        self.spawn("containerd", &mut command)?;
        let socket = self.socket();
        self.wait("containerd", |node| {
            let mut version = node.space.command(&node.ctr);
            succeed(version.args(["--address", &socket, "version"])).map_err(|error| error.to_string())
        })
    }

    fn start_the_others(&mut self, plane: &ControlPlane, programs: &NodePrograms) -> Result<(), Error> {
        let kubeconfig = |program: &str| plane.dir().join(format!("{program}.kubeconfig"));
        let authority = plane.dir().join("ca.crt");
        let config = self.write("kubelet.json", &config::kubelet(&self.dir, &authority).to_string())?;
        let mut kubelet = self.space.command(&programs.program("kubelet"));
        kubelet
            .arg(file("config", &config))
            .arg(file("kubeconfig", &kubeconfig("kubelet")))
            .arg(file("root-dir", &self.dir.join("kubelet")))
            .arg(file("cert-dir", &self.dir.join("kubelet/pki")))
            .arg(format!("--hostname-override={NAME}"))
            .arg(format!("--node-ip={}", network::NODE))
            .env("PATH", programs.path());
        self.spawn("kubelet", &mut kubelet)?;

        let config =
            self.write("kube-proxy.json", &config::kube_proxy(&kubeconfig("kube-proxy")).to_string())?;
        let mut proxy = self.space.command(&programs.program("kube-proxy"));
        proxy.arg(file("config", &config)).env("PATH", programs.path());
        self.spawn("kube-proxy", &mut proxy)?;

        let config = self.write("Corefile", &config::corefile(&kubeconfig("coredns")))?;
        let mut dns = self.space.command(&programs.program("coredns"));
        dns.arg("-conf").arg(config);
        self.spawn("coredns", &mut dns)?;

        let mut scheduler = self.space.command(&programs.program("kube-scheduler"));
        scheduler
            .arg(file("kubeconfig", &kubeconfig("kube-scheduler")))
            .args(["--leader-elect=false", "--secure-port=0"]);
        self.spawn("kube-scheduler", &mut scheduler)
    }

    fn await_ready(&mut self, plane: &ControlPlane) -> Result<(), Error> {
        apply(plane, &config::dns_service())?;
        self.wait("the node", |_| condition(&get(plane, &["node", NAME])?, "Ready"))?;
        // Not before the namespace has its service account.
        self.wait("a pod that asks for a name", |_| {
            apply(plane, &config::probe()).map_err(|error| error.to_string())
        })?;
        let probe = ["pod", config::PROBE, "--namespace=kube-system"];
        self.wait("the name of a Service in a pod", |_| {
            let pod = get(plane, &probe)?;
            if pod["status"]["phase"] == "Succeeded" { Ok(()) } else { Err(pod["status"].to_string()) }
        })?;
        succeed(plane.kubectl().args(["delete", "--wait=false"]).args(probe))
    }

    /// Waits for something; a program that ends meanwhile ends the wait.
    fn wait(&mut self, what: &str, mut look: impl FnMut(&Self) -> Result<(), String>) -> Result<(), Error> {
        let mut ended = None;
        let seen = until(what, READY_WITHIN, || {
            if let Err(error) = self.check_alive() {
                ended = Some(error);
                return Ok(());
            }
            look(self)
        });
        match (ended, seen) {
            (Some(ended), _) => Err(ended),
            (None, seen) => seen.map_err(|said| Error::NodeNotReady { said, logs: self.dir.clone() }),
        }
    }
}

/// One node at a time: its addresses, its interface and its control groups have fixed names.
fn lock() -> Result<File, Error> {
    let path = env::temp_dir().join("celery-operator-node.lock");
    let file = File::create(&path).map_err(Error::io("create", &path))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(Error::NodeRuns { lock: path }),
        Err(TryLockError::Error(error)) => Err(Error::io("lock", &path)(error)),
    }
}

fn file(flag: &str, path: &Path) -> String {
    format!("--{flag}={}", path.display())
}
