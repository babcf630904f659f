// SPDX-License-Identifier: Apache-2.0
//! Where the programs come from: a folder of the user's, or a cache that is filled by `go build`.
//!
//! No prebuilt control plane can be relied on: release downloads need the network and miss the controller manager
//! in the usual bundles for tests. The Go module proxy and its checksums are enough to build all four.

use std::array;
use std::env;
use std::fs::{self, File, TryLockError};
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::error::read_tail;
use crate::toolchain::{Versions, go};
use crate::{Error, Process};

/// Longer than any build takes on a slow machine.
const BUILD_DEADLINE: Duration = Duration::from_hours(1);

/// The programs that a control plane needs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Binaries {
    /// The store.
    pub etcd: PathBuf,
    /// The API server.
    pub kube_apiserver: PathBuf,
    /// The built-in controllers: Deployments, garbage collection, autoscaling and the others.
    pub kube_controller_manager: PathBuf,
    /// The command line client.
    pub kubectl: PathBuf,
}

impl Binaries {
    /// Finds the programs and builds what is missing, which takes minutes once per machine and version; progress
    /// goes to standard error.
    ///
    /// A program in the folder that `KUBEBUILDER_ASSETS` names wins. The others come from
    /// `celery-operator/testbed/<versions>/` in the user's cache folder (`XDG_CACHE_HOME` or `~/.cache`). Several
    /// processes may call this at once: one builds, the others wait for it.
    ///
    /// # Errors
    /// When something is missing and there is no Go toolchain, no cache folder, or the build fails.
    pub fn locate_or_build() -> Result<Self, Error> {
        let versions = Versions::pinned()?;
        let assets = env::var_os("KUBEBUILDER_ASSETS").filter(|value| !value.is_empty()).map(PathBuf::from);
        if let Some(folder) = assets.as_ref().filter(|folder| !folder.is_dir()) {
            return Err(Error::NoAssets { folder: folder.clone() });
        }
        let recipes = recipes(versions);
        let given = recipes.each_ref().map(|recipe| {
            let path = assets.as_ref()?.join(recipe.program);
            path.is_file().then_some(path)
        });
        if let [Some(kube_apiserver), Some(kube_controller_manager), Some(kubectl), Some(etcd)] = given {
            return Ok(Self { etcd, kube_apiserver, kube_controller_manager, kubectl });
        }
        let cache = cache_folder(versions)?;
        let wanted: Vec<&Recipe> = recipes
            .iter()
            .zip(&given)
            .filter(|(_, given)| given.is_none())
            .map(|(recipe, _)| recipe)
            .collect();
        build_missing(&cache, &wanted)?;
        let [kube_apiserver, kube_controller_manager, kubectl, etcd] = array::from_fn(|index| {
            given[index].clone().unwrap_or_else(|| cache.join(recipes[index].program))
        });
        Ok(Self { etcd, kube_apiserver, kube_controller_manager, kubectl })
    }

    /// The folders of the programs, each once: one, unless `KUBEBUILDER_ASSETS` holds only some of them.
    #[must_use]
    pub fn folders(&self) -> Vec<&Path> {
        let all = [&self.kube_apiserver, &self.kube_controller_manager, &self.kubectl, &self.etcd];
        let mut folders: Vec<&Path> = all.into_iter().filter_map(|program| program.parent()).collect();
        folders.sort_unstable();
        folders.dedup();
        folders
    }
}

/// How one program is built.
pub(crate) struct Recipe {
    pub(crate) program: &'static str,
    pub(crate) version: &'static str,
    /// The Go module of this crate that pins it.
    pub(crate) module: &'static str,
    pub(crate) package: &'static str,
    /// Build tags with commas between them.
    pub(crate) tags: &'static str,
    pub(crate) ldflags: String,
    /// On two cores, from a warm to a cold cache.
    pub(crate) takes: &'static str,
}

/// The recipes of kube-apiserver, kube-controller-manager, kubectl and etcd. The longest comes first; the next two
/// reuse most of what it compiled.
fn recipes(versions: Versions) -> [Recipe; 4] {
    let kubernetes = |program, package, takes| kubernetes_recipe(versions, program, package, takes);
    [
        kubernetes("kube-apiserver", "k8s.io/kubernetes/cmd/kube-apiserver", "2 to 7 minutes"),
        kubernetes(
            "kube-controller-manager",
            "k8s.io/kubernetes/cmd/kube-controller-manager",
            "1 to 2 minutes",
        ),
        kubernetes("kubectl", "k8s.io/kubernetes/cmd/kubectl", "a minute"),
        Recipe {
            program: "etcd",
            version: versions.etcd,
            module: "etcd",
            package: "go.etcd.io/etcd/server/v3",
            tags: "",
            ldflags: "-s -w".to_owned(),
            takes: "a minute and a half",
        },
    ]
}

/// The recipe of one of Kubernetes' own programs.
pub(crate) fn kubernetes_recipe(
    versions: Versions,
    program: &'static str,
    package: &'static str,
    takes: &'static str,
) -> Recipe {
    let version = versions.kubernetes;
    let ldflags = kubernetes_ldflags(version);
    Recipe { program, version, module: "kubernetes", package, tags: "", ldflags, takes }
}

/// Linker flags without which the programs call themselves v0.0.0, in both packages that Kubernetes' own build sets.
fn kubernetes_ldflags(version: &str) -> String {
    let mut numbers = version.trim_start_matches('v').split('.');
    let (major, minor) = (numbers.next().unwrap_or_default(), numbers.next().unwrap_or_default());
    let for_package = |package| {
        format!(
            "-X {package}.gitVersion={version} -X {package}.gitMajor={major} -X {package}.gitMinor={minor} \
             -X {package}.gitTreeState=clean"
        )
    };
    let (programs, clients) =
        (for_package("k8s.io/component-base/version"), for_package("k8s.io/client-go/pkg/version"));
    format!("-s -w {programs} {clients}")
}

fn cache_folder(versions: Versions) -> Result<PathBuf, Error> {
    Ok(user_cache()?.join("testbed").join(cache_key(versions)))
}

/// Where this project keeps what takes long to make, for this user.
///
/// # Errors
/// When neither `XDG_CACHE_HOME` nor `HOME` names a folder.
pub fn user_cache() -> Result<PathBuf, Error> {
    let absolute = |name| env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
    let user = absolute("XDG_CACHE_HOME")
        .or_else(|| absolute("HOME").map(|home| home.join(".cache")))
        .ok_or(Error::NoCacheFolder)?;
    Ok(user.join("celery-operator"))
}

/// The name of the cache folder of these versions. It has the architecture, as a home folder may be shared.
fn cache_key(versions: Versions) -> String {
    format!("kubernetes-{}-etcd-{}-{}", versions.kubernetes, versions.etcd, env::consts::ARCH)
}

/// Builds those that are not in the folder yet.
pub(crate) fn build_missing(cache: &Path, wanted: &[&Recipe]) -> Result<(), Error> {
    let is_missing = |recipe: &&&Recipe| !cache.join(recipe.program).is_file();
    if !wanted.iter().any(|recipe| is_missing(&recipe)) {
        return Ok(());
    }
    fs::create_dir_all(cache).map_err(Error::io("create the folder", cache))?;
    // Held until the end of this function, and given up by the kernel if this process dies.
    let _lock = lock(&cache.join("lock"))?;
    let missing: Vec<&&Recipe> = wanted.iter().filter(is_missing).collect();
    for (index, recipe) in missing.iter().enumerate() {
        eprintln!(
            "testbed: building {} {} ({} of {}), about {} on two cores, once per machine",
            recipe.program,
            recipe.version,
            index + 1,
            missing.len(),
            recipe.takes
        );
        build(cache, recipe)?;
    }
    Ok(())
}

pub(crate) fn lock(path: &Path) -> Result<File, Error> {
    let file = File::create(path).map_err(Error::io("create", path))?;
    match file.try_lock() {
        Ok(()) => {}
        Err(TryLockError::Error(error)) => return Err(Error::io("lock", path)(error)),
        Err(TryLockError::WouldBlock) => {
            eprintln!("testbed: waiting for another process that builds the programs");
            file.lock().map_err(Error::io("lock", path))?;
        }
    }
    Ok(file)
}

fn build(cache: &Path, recipe: &Recipe) -> Result<(), Error> {
    let Recipe { program, version, package, tags, ldflags, .. } = recipe;
    let module = Path::new(env!("CARGO_MANIFEST_DIR")).join(recipe.module);
    build_tagged(&module, package, tags, ldflags, (program, version), &cache.join(program))
}

/// Builds one program of a Go module under another name and renames it when it is complete: what is there can be run.
pub(crate) fn build_in(
    module: &Path,
    package: &str,
    ldflags: &str,
    (program, version): (&'static str, &str),
    complete: &Path,
) -> Result<(), Error> {
    build_tagged(module, package, "", ldflags, (program, version), complete)
}

fn build_tagged(
    module: &Path,
    package: &str,
    tags: &str,
    ldflags: &str,
    (program, version): (&'static str, &str),
    complete: &Path,
) -> Result<(), Error> {
    let partial = complete.with_file_name(format!(".{program}.partial"));
    let log = complete.with_file_name(format!("build-{program}.log"));
    let _ = fs::remove_file(&log);
    let mut command = go(&format!("building {program} {version}"))?;
    command
        .args(["build", "-mod=readonly", "-buildvcs=false", "-trimpath", "-tags", tags, "-ldflags", ldflags])
        .arg("-o")
        .arg(&partial)
        .arg(package)
        .current_dir(module);
    let mut building =
        Process::spawn("go build", &command, &log).map_err(Error::io("run", Path::new("go")))?;
    let status = building.wait(BUILD_DEADLINE).map_or_else(|| timed_out(&log), Ok)?;
    if !status.success() {
        let tail = read_tail(&log);
        return Err(Error::Build { program, status, log, tail });
    }
    fs::rename(&partial, complete).map_err(Error::io("rename to", complete))?;
    let _ = fs::remove_file(&log);
    Ok(())
}

fn timed_out<T>(log: &Path) -> Result<T, Error> {
    let reason = format!("go build took longer than {} minutes", BUILD_DEADLINE.as_secs() / 60);
    Err(Error::io("finish the build of", log)(std::io::Error::other(reason)))
}

#[cfg(test)]
mod tests {
    use super::{Binaries, cache_key, kubernetes_ldflags};
    use crate::toolchain::Versions;
    use std::path::{Path, PathBuf};

    #[test]
    fn the_cache_folder_is_named_after_the_versions() {
        let key = cache_key(Versions { kubernetes: "v1.40.1", etcd: "v3.9.0" });
        assert!(key.starts_with("kubernetes-v1.40.1-etcd-v3.9.0-"), "{key}");
    }

    #[test]
    fn the_linker_is_told_the_version() {
        let flags = kubernetes_ldflags("v1.40.1");
        for flag in ["gitVersion=v1.40.1", "gitMajor=1", "gitMinor=40", "gitTreeState=clean"] {
            assert!(flags.contains(&format!("-X k8s.io/component-base/version.{flag}")), "{flags}");
        }
    }

    #[test]
    fn folders_are_listed_once() {
        let program = |path: &str| PathBuf::from(path);
        let binaries = Binaries {
            etcd: program("/assets/etcd"),
            kube_apiserver: program("/assets/kube-apiserver"),
            kube_controller_manager: program("/cache/kube-controller-manager"),
            kubectl: program("/assets/kubectl"),
        };
        assert_eq!(binaries.folders(), [Path::new("/assets"), Path::new("/cache")]);
    }
}
