// SPDX-License-Identifier: Apache-2.0
//! `charts/celery-stack` with its dependencies beside it, since no repository of charts can be counted on.

use std::fs;
use std::io;
use std::path::Path;

use crate::{Error, keda};

/// Copies the stack into a folder, with the charts of this repository that it depends on. In the place of KEDA's own chart
/// stands one of the release that is declared, which has these manifests and no values.
///
/// # Errors
/// When a file cannot be read or written.
pub fn package(keda: &str, to: &Path) -> Result<(), Error> {
    let charts = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../charts");
    let beside = to.join("charts");
    copy(&charts.join("celery-stack"), to).map_err(Error::io("copy a chart to", to))?;
    for name in ["celery-operator-crds", "celery-operator"] {
        copy(&charts.join(name), &beside.join(name)).map_err(Error::io("copy a chart to", &beside))?;
    }
    chart_of_keda(keda, &beside.join("keda")).map_err(Error::io("write a chart to", &beside))
}

fn chart_of_keda(manifests: &str, to: &Path) -> io::Result<()> {
    let version = keda::VERSION.trim_start_matches('v');
    for folder in ["templates", "files"] {
        fs::create_dir_all(to.join(folder))?;
    }
    for (file, text) in [
        ("Chart.yaml", &*format!("apiVersion: v2\nname: keda\nversion: {version}\n")),
        ("values.yaml", "{}\n"),
        // A file that is no template: what looks like one in it is meant for others.
        ("files/keda.yaml", manifests),
        ("templates/keda.yaml", r#"{{ .Files.Get "files/keda.yaml" }}"#),
    ] {
        fs::write(to.join(file), text)?;
    }
    Ok(())
}

/// Copies a folder with all that is in it.
///
/// # Errors
/// When a file cannot be read or written.
pub fn copy(from: &Path, to: &Path) -> io::Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let to = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy(&entry.path(), &to)?;
        } else {
            fs::copy(entry.path(), to)?;
        }
    }
    Ok(())
}
