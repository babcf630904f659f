// SPDX-License-Identifier: Apache-2.0
//! The programs of a node: built once per machine like those of the control plane, or out of Debian packages.

use std::env;
use std::path::{Path, PathBuf};

use rustix::process::geteuid;

use crate::Error;
use crate::binaries::{Recipe, build_missing, kubernetes_recipe, user_cache};
use crate::toolchain::{NodeVersions, Versions};

/// What a node runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NodePrograms {
    /// Programs that are built: kubelet, kube-proxy, kube-scheduler, containerd, its shim, ctr and coredns.
    built: PathBuf,
    /// What starts a container.
    pub(crate) runc: PathBuf,
    /// Folder of the programs that give a pod its network.
    pub(crate) cni: PathBuf,
    /// Without libraries, as an image holds nothing else.
    pub(crate) busybox: PathBuf,
}

/// A program out of a Debian package, and where it may lie.
struct Packaged {
    package: &'static str,
    file: &'static str,
    folders: &'static [&'static str],
}

const PROGRAM_FOLDERS: &[&str] =
    &["/usr/sbin", "/usr/bin", "/sbin", "/bin", "/usr/local/sbin", "/usr/local/bin"];
const CNI_FOLDERS: &[&str] = &["/usr/lib/cni", "/opt/cni/bin", "/usr/libexec/cni"];

const RUNC: Packaged = Packaged { package: "runc", file: "runc", folders: PROGRAM_FOLDERS };
const CNI: Packaged = Packaged { package: "containernetworking-plugins", file: "ptp", folders: CNI_FOLDERS };
const BUSYBOX: Packaged = Packaged { package: "busybox-static", file: "busybox", folders: PROGRAM_FOLDERS };
const IPTABLES: Packaged = Packaged { package: "iptables", file: "iptables", folders: PROGRAM_FOLDERS };
const IP: Packaged = Packaged { package: "iproute2", file: "ip", folders: PROGRAM_FOLDERS };
const NSENTER: Packaged = Packaged { package: "util-linux", file: "nsenter", folders: PROGRAM_FOLDERS };

impl NodePrograms {
    /// Finds the programs and builds what is missing, which takes minutes once per machine and version; progress goes
    /// to standard error. They are kept beside those of the control plane.
    ///
    /// # Errors
    /// When this is not root, a package is missing, or something cannot be built.
    pub fn locate_or_build() -> Result<Self, Error> {
        if !geteuid().is_root() {
            return Err(Error::NotRoot);
        }
        let packaged = [RUNC, CNI, BUSYBOX, IPTABLES, IP, NSENTER];
        let found = packaged.each_ref().map(Packaged::find);
        let missing: Vec<&str> = packaged
            .iter()
            .zip(&found)
            .filter(|(_, found)| found.is_none())
            .map(|(packaged, _)| packaged.package)
            .collect();
        let [Some(runc), Some(ptp), Some(busybox), Some(_), Some(_), Some(_)] = found else {
            return Err(Error::PackagesMissing { packages: missing.join(" ") });
        };
        let (versions, node) = (Versions::pinned()?, NodeVersions::pinned()?);
        let built = user_cache()?.join("testbed").join(cache_key(versions, node));
        build_missing(&built, &recipes(versions, node).iter().collect::<Vec<_>>())?;
        Ok(Self { built, runc, cni: ptp.parent().map(Path::to_owned).unwrap_or_default(), busybox })
    }

    /// The folder of those that are built.
    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.built
    }

    /// The path of a program that is built.
    pub(crate) fn program(&self, name: &str) -> PathBuf {
        self.built.join(name)
    }

    /// `PATH` for what looks others up by name: containerd its shim, kube-proxy the filters.
    pub(crate) fn path(&self) -> String {
        format!("{}:{}", self.built.display(), PROGRAM_FOLDERS.join(":"))
    }
}

impl Packaged {
    fn find(&self) -> Option<PathBuf> {
        self.folders.iter().map(|folder| Path::new(folder).join(self.file)).find(|path| path.is_file())
    }
}

fn cache_key(versions: Versions, node: NodeVersions) -> String {
    format!(
        "node-kubernetes-{}-containerd-{}-coredns-{}-{}",
        versions.kubernetes,
        node.containerd,
        node.coredns,
        env::consts::ARCH
    )
}

fn recipes(versions: Versions, node: NodeVersions) -> [Recipe; 7] {
    let containerd = |program, package, takes| Recipe {
        program,
        version: node.containerd,
        module: "containerd",
        package,
        // Ways to keep images that need libraries or devices of their own.
        tags: "no_btrfs,no_devmapper,no_zfs",
        ldflags: "-s -w".to_owned(),
        takes,
    };
    [
        kubernetes_recipe(versions, "kubelet", "k8s.io/kubernetes/cmd/kubelet", "1 to 6 minutes"),
        kubernetes_recipe(versions, "kube-proxy", "k8s.io/kubernetes/cmd/kube-proxy", "half a minute"),
        kubernetes_recipe(
            versions,
            "kube-scheduler",
            "k8s.io/kubernetes/cmd/kube-scheduler",
            "half a minute",
        ),
        containerd("containerd", "github.com/containerd/containerd/v2/cmd/containerd", "2 to 3 minutes"),
        containerd(
            "containerd-shim-runc-v2",
            "github.com/containerd/containerd/v2/cmd/containerd-shim-runc-v2",
            "a few seconds",
        ),
        containerd("ctr", "github.com/containerd/containerd/v2/cmd/ctr", "a few seconds"),
        Recipe {
            program: "coredns",
            version: node.coredns,
            module: "coredns",
            package: ".",
            tags: "",
            ldflags: "-s -w".to_owned(),
            takes: "a minute or two",
        },
    ]
}

#[cfg(test)]
mod tests {
    use super::{CNI, CNI_FOLDERS, Packaged, cache_key};
    use crate::toolchain::{NodeVersions, Versions};

    #[test]
    fn the_cache_folder_is_named_after_the_versions() {
        let key = cache_key(
            Versions { kubernetes: "v1.40.1", etcd: "v3.9.0" },
            NodeVersions { containerd: "v2.9.0", coredns: "v1.20.0" },
        );
        assert!(key.starts_with("node-kubernetes-v1.40.1-containerd-v2.9.0-coredns-v1.20.0-"), "{key}");
    }

    #[test]
    fn what_is_nowhere_is_not_found() {
        let absent = Packaged { file: "no-such-program", ..CNI };
        assert_eq!(absent.find(), None);
        assert!(CNI_FOLDERS.contains(&"/usr/lib/cni"));
    }
}
