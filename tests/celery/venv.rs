// SPDX-License-Identifier: Apache-2.0
//! Installed releases of Celery, one folder each, kept between runs.
//!
//! Every package is pinned and installed without its dependencies being resolved, so that a judgement depends on
//! nothing but this file. A folder is filled aside and then renamed: two processes may race for it.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs};

/// A release and what it needs.
#[derive(Hash)]
pub(crate) struct Pins {
    /// Project whose version is meant.
    pub(crate) project: &'static str,
    /// Its full version.
    pub(crate) version: &'static str,
    /// The first minor of Python 3 that can run it.
    pub(crate) python: u8,
    /// Requirements, each with its version.
    pub(crate) packages: &'static [&'static str],
    /// More of them, which it has in common with others.
    pub(crate) beside: &'static [&'static str],
}

/// The last patch of every supported minor, oldest first.
pub(crate) const RELEASES: &[Pins] = &[
    Pins {
        project: "celery",
        version: "5.2.7",
        python: 9,
        // The kombu of its own days, 5.2, cannot be imported by Python 3.12 and later.
        packages: &[
            "celery==5.2.7",
            "kombu==5.3.7",
            "billiard==3.6.4.0",
            "amqp==5.2.0",
            "click==8.1.8",
            "pytz==2024.1",
        ],
        beside: &[],
    },
    Pins {
        project: "celery",
        version: "5.3.6",
        python: 9,
        packages: &["celery==5.3.6", "kombu==5.3.7", "billiard==4.2.1", "amqp==5.2.0", "click==8.1.8"],
        beside: &[],
    },
    Pins {
        project: "celery",
        version: "5.4.0",
        python: 9,
        packages: &["celery==5.4.0", "kombu==5.3.7", "billiard==4.2.1", "amqp==5.2.0", "click==8.1.8"],
        beside: &[],
    },
    Pins {
        project: "celery",
        version: "5.5.3",
        python: 9,
        packages: &["celery==5.5.3", "kombu==5.5.4", "billiard==4.2.1", "amqp==5.3.1", "click==8.1.8"],
        beside: &[],
    },
    Pins {
        project: "celery",
        version: "5.6.3",
        python: 9,
        packages: &["celery==5.6.3", "kombu==5.6.2", "billiard==4.2.1", "amqp==5.3.1", "click==8.1.8"],
        beside: &[],
    },
    Pins {
        project: "celery",
        version: "5.7.0",
        python: 10,
        packages: &["celery==5.7.0", "kombu==5.7.0", "billiard==4.3.2", "amqp==5.4.2", "click==8.3.1"],
        beside: &[],
    },
];

/// What every Flower stands on: the release of Celery that is the last one for every supported Python.
const BESIDE_FLOWER: &[&str] = &[
    "celery==5.6.3",
    "kombu==5.6.2",
    "billiard==4.2.1",
    "amqp==5.3.1",
    "click==8.1.8",
    "tornado==6.5.1",
    "humanize==4.9.0",
    "prometheus-client==0.21.1",
    "pytz==2024.1",
];

/// Every Flower with options of its own, oldest first.
pub(crate) const FLOWERS: &[Pins] = &[
    Pins {
        project: "flower",
        version: "1.2.0",
        python: 9,
        packages: &["flower==1.2.0"],
        beside: BESIDE_FLOWER,
    },
    Pins {
        project: "flower",
        version: "2.0.1",
        python: 9,
        packages: &["flower==2.0.1"],
        beside: BESIDE_FLOWER,
    },
    Pins {
        project: "flower",
        version: "2.2.0",
        python: 9,
        packages: &["flower==2.2.0"],
        beside: BESIDE_FLOWER,
    },
];

/// What URLs lead to, beside any release.
pub(crate) const CLIENTS: Pins = Pins {
    project: "clients",
    version: "1",
    python: 9,
    packages: &["redis==6.4.0", "async-timeout==5.0.1", "sqlalchemy==2.0.36"],
    beside: &[],
};

/// What every release needs and none is particular about.
const SHARED: &[&str] = &[
    "click-didyoumean==0.3.1",
    "click-plugins==1.1.1",
    "click-repl==0.3.0",
    "exceptiongroup==1.2.2",
    "packaging==24.2",
    "prompt-toolkit==3.0.48",
    "python-dateutil==2.9.0.post0",
    "six==1.17.0",
    "typing-extensions==4.12.2",
    "tzdata==2024.2",
    "tzlocal==5.2",
    "vine==5.1.0",
    "wcwidth==0.2.13",
];

/// A folder of installed packages.
pub(crate) struct Site(PathBuf);

impl Site {
    /// A Python that finds these packages before any others.
    pub(crate) fn python(&self) -> Command {
        let mut python = Command::new("python3");
        python.env("PYTHONPATH", &self.0).env("PYTHONNOUSERSITE", "1").env("PYTHONUTF8", "1");
        python
    }
}

/// A Python that finds the packages of both, and none of the machine's own.
pub(crate) fn python_beside(site: &Site, other: &Site) -> Command {
    let mut python = site.python();
    let path = env::join_paths([&site.0, &other.0]).unwrap();
    python.env("PYTHONPATH", path).arg("-S");
    python
}

/// The installed release; `None`, and a line on the terminal, where it cannot be had.
///
/// # Panics
/// When a judgement is required and the release cannot be had.
pub(crate) fn site(pins: &Pins) -> Option<Site> {
    match installed(pins) {
        Ok(folder) => Some(Site(folder)),
        Err(reason) => {
            let line = format!("not judged by {} {}: {reason}", pins.project, pins.version);
            assert!(env::var("CELERY_JUDGE").as_deref() != Ok("required"), "{line}");
            crate::say(&line);
            None
        }
    }
}

fn installed(pins: &Pins) -> Result<PathBuf, String> {
    let minor = minor_of_python()?;
    if minor < pins.python {
        return Err(format!("it needs Python 3.{}, this is 3.{minor}", pins.python));
    }
    let mut hasher = DefaultHasher::new();
    (pins, SHARED).hash(&mut hasher);
    let shelf = cache().join(format!("{}-{}", pins.project, pins.version));
    let folder = shelf.join(format!("{:016x}", hasher.finish()));
    if !folder.is_dir() {
        fs::create_dir_all(&shelf).map_err(|error| format!("{}: {error}", shelf.display()))?;
        install(pins, &shelf, &folder)?;
    }
    Ok(folder)
}

fn install(pins: &Pins, shelf: &Path, folder: &Path) -> Result<(), String> {
    let aside = tempfile::tempdir_in(shelf).map_err(|error| error.to_string())?;
    let output = Command::new("python3")
        .args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps"])
        .args(["--only-binary", ":all:", "--target"])
        .arg(aside.path())
        .args(pins.packages)
        .args(pins.beside)
        .args(SHARED)
        .output()
        .map_err(|error| format!("python3: {error}"))?;
    if !output.status.success() {
        let words = String::from_utf8_lossy(&output.stderr);
        let last = words.lines().rfind(|line| line.contains("ERROR") || line.contains("No module"));
        return Err(format!("pip: {}", last.unwrap_or("failed without a word")));
    }
    match fs::rename(aside.path(), folder) {
        // Somebody else was faster: the same packages are there.
        Err(_) if folder.is_dir() => Ok(()),
        renamed => renamed.map_err(|error| format!("{}: {error}", folder.display())),
    }
}

fn minor_of_python() -> Result<u8, String> {
    let output = Command::new("python3")
        .args(["-c", "import sys; print(sys.version_info[1])"])
        .output()
        .map_err(|error| format!("python3: {error}"))?;
    String::from_utf8_lossy(&output.stdout).trim().parse().map_err(|_| "python3 does not run".to_owned())
}

fn cache() -> PathBuf {
    let home = || PathBuf::from(env::var_os("HOME").unwrap_or_else(|| "/tmp".into())).join(".cache");
    env::var_os("XDG_CACHE_HOME").map_or_else(home, PathBuf::from).join("celery-operator").join("celery")
}
