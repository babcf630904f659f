// SPDX-License-Identifier: Apache-2.0
//! `docs/first-steps.md`, typed command by command into a cluster without an operator.

use std::fs;
use std::iter;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::outcome::Outcome;
use crate::stage::Stage;
use crate::{Error, images, install};

const PAGE: &str = include_str!("../../../../docs/first-steps.md");
/// What stands in the place of the registry that nodes pull from: the images lie on the node already.
const REGISTRY: &str = "docker.io/library";

/// In one order, as on a terminal; and what a block has left in the background must not outlive it.
const PRELUDE: &str = "exec 2>&1\ntrap 'kill $(jobs -p) 2>/dev/null || true' EXIT\n";

/// Commands that belong together, and what the page shows below them.
#[derive(Debug, PartialEq, Eq)]
struct Block<'p> {
    commands: &'p str,
    shown: Option<&'p str>,
}

impl Block<'_> {
    /// Whether it makes the images, which is done without Docker here.
    fn makes_images(&self) -> bool {
        self.commands.contains("docker build")
    }
}

/// Types the page, and installs the operator again.
pub(crate) fn run(stage: &Stage) -> Result<Outcome, Error> {
    install::uninstall(stage)?;
    install::forget(stage)?;
    let mut outcome = Outcome::default();
    let typed = images::redis(stage.plane.dir()).and_then(|redis| {
        stage.import(&redis)?;
        type_page(stage, &mut outcome)
    });
    // Whatever the page has left: the experiments behind this one need an operator.
    install::install(stage)?;
    typed.map(|()| outcome)
}

fn type_page(stage: &Stage, outcome: &mut Outcome) -> Result<(), Error> {
    let mut count = 0;
    for block in blocks(PAGE).into_iter().filter(|block| !block.makes_images()) {
        let (has_worked, said) = type_block(stage, block.commands)?;
        count += block.commands.lines().filter(|line| !line.starts_with(' ')).count();
        match block.shown {
            None if !has_worked => return Err(format!("{}\n{said}", block.commands).into()),
            None => {}
            Some(shown) => outcome
                .held(said.trim() == shown.trim(), format!("shows what is said: {}", first_line(&said))),
        }
    }
    outcome.held(true, format!("{count} commands of docs/first-steps.md do what they are there for"));
    Ok(())
}

/// Whether all commands of a block have worked, and what was printed.
fn type_block(stage: &Stage, commands: &str) -> Result<(bool, String), Error> {
    let kubeconfig = stage.plane.dir().join("first-steps.kubeconfig");
    if !kubeconfig.is_file() {
        fs::copy(stage.plane.kubeconfig(), &kubeconfig)?;
    }
    let programs = programs(stage)?;
    let path = std::env::var_os("PATH").unwrap_or_default();
    let path = std::env::join_paths(iter::once(programs).chain(std::env::split_paths(&path)))?;
    let mut shell = Command::new("bash");
    install::with_own_folders(&mut shell, stage);
    let output = shell
        .args(["-euo", "pipefail", "-c", &format!("{PRELUDE}{commands}")])
        .current_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("../.."))
        .env("PATH", path)
        .env("KUBECONFIG", &kubeconfig)
        .env("REGISTRY", REGISTRY)
        .output()?;
    Ok((output.status.success(), String::from_utf8_lossy(&output.stdout).into_owned()))
}

/// A folder with the programs of the page under the names that it uses: what the machine keeps of them bears versions.
fn programs(stage: &Stage) -> Result<PathBuf, Error> {
    let folder = stage.plane.dir().join("first-steps.programs");
    if !folder.is_dir() {
        fs::create_dir(&folder)?;
        symlink(stage.plane.kubectl().get_program(), folder.join("kubectl"))?;
        symlink(testbed::tools::helm()?, folder.join("helm"))?;
    }
    Ok(folder)
}

fn first_line(text: &str) -> &str {
    text.lines().next().unwrap_or_default()
}

/// The blocks of commands of a page.
fn blocks(page: &str) -> Vec<Block<'_>> {
    let mut rest = page;
    let fences = iter::from_fn(|| {
        let (_, behind) = rest.split_once("\n```")?;
        let (kind, behind) = behind.split_once('\n')?;
        let (text, behind) = behind.split_once("\n```")?;
        rest = behind;
        Some((kind, text))
    });
    let mut blocks: Vec<Block<'_>> = Vec::new();
    for (kind, text) in fences {
        match kind {
            "sh" => blocks.push(Block { commands: text, shown: None }),
            _ => {
                if let Some(last) = blocks.last_mut() {
                    last.shown = Some(text);
                }
            }
        }
    }
    blocks
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_and_what_they_show_are_found() {
        let page = "# A\n\n```sh\na\nb\n```\n\ntext\n\n```sh\nc\n```\n\n```text\nsaid\n```\n";
        let blocks = blocks(page);
        assert_eq!(
            blocks,
            [Block { commands: "a\nb", shown: None }, Block { commands: "c", shown: Some("said") },]
        );
    }

    #[test]
    fn the_page_makes_images_first_and_shows_one_mistake() {
        let blocks = blocks(PAGE);
        assert!(blocks[0].makes_images() && !blocks[1].makes_images());
        assert_eq!(blocks.iter().filter(|block| block.shown.is_some()).count(), 1);
        assert!(blocks.len() > 8);
    }
}
