// SPDX-License-Identifier: Apache-2.0
//! Writes the reference into a folder: what users can write, what is refused, what can be called. The sources are the
//! definition, the catalogue and the command line, so that no text beside them can go stale.

mod children;
mod commands;
mod fields;
mod kubernetes;
mod markdown;
mod moving;
mod reasons;
mod rules;

use std::path::PathBuf;
use std::process::ExitCode;
use std::{env, fs, io};

fn main() -> ExitCode {
    let Some(folder) = env::args_os().nth(1).map(PathBuf::from) else {
        eprintln!("usage: reference FOLDER");
        return ExitCode::from(2);
    };
    match write(&folder) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("cannot write {}: {error}", folder.display());
            ExitCode::FAILURE
        }
    }
}

fn write(folder: &std::path::Path) -> io::Result<()> {
    fs::create_dir_all(folder)?;
    for (name, text) in [
        ("fields.md", fields::page()),
        ("rules.md", rules::page()),
        ("command-line.md", commands::page()),
        ("reasons.md", reasons::page()),
        ("children.md", children::page()),
        ("annotations.md", reasons::annotations()),
    ] {
        fs::write(folder.join(name), text)?;
    }
    Ok(())
}
