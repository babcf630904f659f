// SPDX-License-Identifier: Apache-2.0
//! Writes what ways to install the operator have in common with the plain manifests: the generated templates of its chart,
//! and the bundle for the Operator Lifecycle Manager. `make generate` calls it.

mod bundle;
mod templates;

use std::error::Error;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::{env, fs};

fn main() -> ExitCode {
    let Some(folder) = env::args_os().nth(1).map(PathBuf::from) else {
        eprintln!("usage: charts FOLDER");
        return ExitCode::from(2);
    };
    match write(&folder) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("cannot write into {}: {error}", folder.display());
            ExitCode::FAILURE
        }
    }
}

fn write(folder: &Path) -> Result<(), Box<dyn Error>> {
    let mut files = vec![("charts/celery-operator/templates/_generated.tpl", templates::templates()?)];
    files.extend(bundle::bundle()?);
    for (name, text) in files {
        let path = folder.join(name);
        fs::create_dir_all(path.parent().unwrap_or(folder))?;
        fs::write(path, text)?;
    }
    Ok(())
}
