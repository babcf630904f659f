// SPDX-License-Identifier: Apache-2.0
//! The images of the pods: the operator's, which is laid out as the `Dockerfile` lays it out, and the sample
//! application's, whose lower layer is made once per machine.

use std::env;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;

use sha2::{Digest as _, Sha256};
use testbed::image::{Config, Entry, Image, Layer, architecture};
use testbed::{tools, user_cache};

use crate::Error;

/// As pods name it, with one of the [`OPERATOR_TAGS`].
pub(crate) const OPERATOR: &str = "celery-operator";
/// One image under several tags, the first of which its chart takes by itself: that an upgrade changes the tag is all that
/// experiments need.
pub(crate) const OPERATOR_TAGS: [&str; 2] =
    [env!("CARGO_PKG_VERSION"), concat!(env!("CARGO_PKG_VERSION"), "-next")];
/// As Celeries name it, with one of the [`TAGS`].
pub(crate) const SAMPLE: &str = "celery-sample";
/// One image under several tags: a change of the tag replaces pods, and nothing else about them.
pub(crate) const TAGS: [&str; 3] = ["1.0", "1.1", "1.2"];

/// Makes the lower layer of the sample application's image.
pub(crate) const DEBOOTSTRAP: &str = "/usr/sbin/debootstrap";

/// What takes a name without a registry for one of its own.
const REGISTRY: &str = "docker.io/library";
/// At most, in bytes: what the operator's image is held to.
pub(crate) const OPERATOR_AT_MOST: u64 = 25 * 1024 * 1024;

/// The operator's program, as `make e2e` has built it.
///
/// # Errors
/// When `OPERATOR` names none, or one that would not start in an empty root file system.
pub(crate) fn program() -> Result<PathBuf, Error> {
    let path = env::var_os("OPERATOR").filter(|path| !path.is_empty()).map(PathBuf::from);
    let path = path.ok_or("OPERATOR names no program: `make e2e` builds one and names it")?;
    let bytes = fs::read(&path).map_err(|error| format!("{}: {error}", path.display()))?;
    match Program::of(&bytes) {
        Some(Program { needs_a_loader: false, .. }) => Ok(path),
        Some(_) => Err(format!(
            "{} needs libraries, and its image has none: build it with RUSTFLAGS=\"-C target-feature=+crt-static\"",
            path.display()
        )
        .into()),
        None => Err(format!("{} is no program for amd64 or arm64", path.display()).into()),
    }
}

/// Writes the operator's image under these tags: the program and nothing else.
///
/// # Errors
/// When the program cannot be read, or the archive not be written.
pub(crate) fn operator(program: &Path, tags: &[&str], to: &Path) -> Result<(), Error> {
    let layer = to.with_extension("layer");
    let built_for = Program::of(&fs::read(program)?).ok_or("the operator is no program")?;
    let image = Image {
        names: tags.iter().map(|tag| format!("{REGISTRY}/{OPERATOR}:{tag}")).collect(),
        config: Config {
            entrypoint: vec!["/celery-operator".to_owned()],
            command: vec!["run".to_owned()],
            user: "65532:65532".to_owned(),
            ..Config::default()
        },
        layers: vec![Layer::of_entries(&[Entry::file("celery-operator", 0o755, program)], &layer)?],
        architecture: built_for.architecture,
    };
    image.write(to)?;
    Ok(fs::remove_file(layer)?)
}

/// The archive of the sample application's image, made when its sources have changed.
///
/// # Errors
/// When it cannot be made: debootstrap is not there, or the network.
pub(crate) fn sample() -> Result<PathBuf, Error> {
    let folder = user_cache()?.join("images");
    fs::create_dir_all(&folder)?;
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../config/samples/app");
    let base = base(&folder, &source.join("requirements.txt"))?;
    let entries = [
        Entry::folder("app"),
        Entry::file("app/shop.py", 0o644, &source.join("shop.py")),
        Entry::file("app/send.py", 0o644, &source.join("send.py")),
    ];
    let image = Image {
        names: TAGS.iter().map(|tag| format!("{REGISTRY}/{SAMPLE}:{tag}")).collect(),
        config: Config {
            command: ["celery", "-A", "shop", "worker"].map(str::to_owned).to_vec(),
            env: ["PATH=/usr/local/bin:/usr/bin:/bin", "PYTHONDONTWRITEBYTECODE=1", "PYTHONUNBUFFERED=1"]
                .map(str::to_owned)
                .to_vec(),
            user: "1000:1000".to_owned(),
            folder: "/app".to_owned(),
            ..Config::default()
        },
        layers: vec![
            Layer::of_archive(&base)?,
            Layer::of_entries(&entries, &folder.join("celery-sample-app.tar"))?,
        ],
        architecture: architecture(),
    };
    let archive = folder.join("celery-sample.tar");
    image.write(&archive)?;
    Ok(archive)
}

/// The archive of an image of Redis under the name that people know: this machine's own program with its libraries.
///
/// # Errors
/// When the program is not there, or the archive cannot be written.
pub(crate) fn redis(folder: &Path) -> Result<PathBuf, Error> {
    let program = Path::new(crate::brokers::REDIS);
    let listed = Command::new("ldd").arg(program).output()?;
    let listed = String::from_utf8_lossy(&listed.stdout).into_owned();
    let libraries = listed.split_whitespace().filter(|word| word.starts_with('/')).map(Path::new);
    let mut entries = vec![Entry::folder("data")];
    for file in libraries.chain([program]) {
        let inside = file.strip_prefix("/")?.to_str().ok_or("a library whose name is no UTF-8")?;
        entries.push(Entry::file(inside, 0o755, file));
    }
    let image = Image {
        names: vec![format!("{REGISTRY}/redis:7.4")],
        config: Config {
            // As in theirs: whoever gives arguments begins with the program.
            command: ["redis-server", "--protected-mode", "no"].map(str::to_owned).to_vec(),
            env: vec!["PATH=/usr/bin".to_owned()],
            folder: "/data".to_owned(),
            ..Config::default()
        },
        layers: vec![Layer::of_entries(&entries, &folder.join("redis-layer.tar"))?],
        architecture: architecture(),
    };
    let archive = folder.join("redis.tar");
    image.write(&archive)?;
    Ok(archive)
}

/// The archives of KEDA's images under the names that its own manifests have: its programs, and nothing else.
///
/// # Errors
/// When a program cannot be built, or an archive not be written.
pub(crate) fn keda(folder: &Path) -> Result<Vec<PathBuf>, Error> {
    let programs = [
        ("keda", "keda", tools::keda_operator()?),
        ("keda-metrics-apiserver", "keda-adapter", tools::keda_adapter()?),
        ("keda-admission-webhooks", "keda-admission-webhooks", tools::keda_webhooks()?),
    ];
    let written = programs.iter().map(|(name, inside, program)| {
        let layer = folder.join(format!("{name}-layer.tar"));
        let image = Image {
            names: vec![format!("ghcr.io/kedacore/{name}:main")],
            config: Config { user: "1000:1000".to_owned(), ..Config::default() },
            layers: vec![Layer::of_entries(&[Entry::file(inside, 0o755, program)], &layer)?],
            architecture: architecture(),
        };
        let archive = folder.join(format!("{name}.tar"));
        image.write(&archive)?;
        fs::remove_file(layer)?;
        Ok(archive)
    });
    written.collect()
}

/// A small Debian with Python and what the application requires, named after what it is made by.
fn base(folder: &Path, requirements: &Path) -> Result<PathBuf, Error> {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("rootfs.sh");
    let mut hash = Sha256::new();
    for file in [&script, &requirements.to_owned()] {
        hash.update(fs::read(file)?);
    }
    let name = hash.finalize().iter().take(6).map(|byte| format!("{byte:02x}")).collect::<Vec<_>>().concat();
    let complete = folder.join(format!("python-{name}-{}.tar", env::consts::ARCH));
    if complete.is_file() {
        return Ok(complete);
    }
    eprintln!("e2e: the sample application's image, about two minutes, once per machine");
    let partial = complete.with_extension("partial");
    let output = Command::new("unshare")
        .args(["--mount", "--fork", "--kill-child", "--"])
        .args([&script, requirements, &partial])
        .output()?;
    if !output.status.success() {
        let said = [output.stdout, output.stderr].concat();
        return Err(format!("{}:\n{}", script.display(), String::from_utf8_lossy(&said)).into());
    }
    fs::rename(&partial, &complete).map_err(|error: io::Error| format!("{}: {error}", partial.display()))?;
    Ok(complete)
}

/// What an image has to know of a program.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Program {
    /// As images call it.
    architecture: &'static str,
    /// Whether it asks for a loader of libraries.
    needs_a_loader: bool,
}

impl Program {
    /// Reads a program in ELF; nothing when it is none for an architecture that the operator is built for.
    fn of(program: &[u8]) -> Option<Self> {
        const INTERPRETER: u32 = 3;
        if !program.starts_with(b"\x7fELF\x02\x01") {
            return None;
        }
        let word = |at: usize| {
            program.get(at..at + 2).map(|word| usize::from(u16::from_le_bytes([word[0], word[1]])))
        };
        let architecture = match word(18)? {
            62 => "amd64",
            183 => "arm64",
            _ => return None,
        };
        let start = program.get(32..40)?.try_into().ok().map(u64::from_le_bytes)?;
        let (size, count) = (word(54)?, word(56)?);
        let mut needs_a_loader = false;
        for index in 0..count {
            let at = usize::try_from(start).ok()?.checked_add(index.checked_mul(size)?)?;
            let kind = program.get(at..at.checked_add(4)?)?.try_into().ok().map(u32::from_le_bytes)?;
            needs_a_loader |= kind == INTERPRETER;
        }
        Some(Self { architecture, needs_a_loader })
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use testbed::image::architecture;

    use super::Program;

    #[test]
    fn this_test_needs_a_loader_and_a_text_is_no_program() {
        let this = std::fs::read(std::env::current_exe().unwrap()).unwrap();
        let needs_a_loader = !cfg!(target_feature = "crt-static");
        let expected = Program { architecture: architecture(), needs_a_loader };
        assert_eq!(Program::of(&this), Some(expected));
        assert_eq!(Program::of(b"#!/bin/sh\n"), None);
        assert_eq!(Program::of(&this[..60]), None);
        let other = [&this[..18], &[8, 0], &this[20..]].concat();
        assert_eq!(Program::of(&other), None);
    }
}
