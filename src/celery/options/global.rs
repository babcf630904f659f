// SPDX-License-Identifier: Apache-2.0
//! The options of `celery` itself, which stand before the sub-command: behind it, 5.x refuses them.

use super::{Release, Spec, ValueKind};

/// Every option of every release.
pub static OPTIONS: &[Spec] = &[
    Spec::new(&["-A", "--app"], ValueKind::Text, "the application"),
    Spec::new(&["-b", "--broker"], ValueKind::Text, "URL of the broker"),
    Spec::new(&["--result-backend"], ValueKind::Text, "URL of the result backend"),
    Spec::new(&["--loader"], ValueKind::Text, "class that loads the configuration"),
    Spec::new(&["--config"], ValueKind::Text, "module with the configuration"),
    Spec::new(&["--workdir"], ValueKind::Text, "folder to change to"),
    Spec::new(&["-C", "--no-color"], ValueKind::Flag, "no colours"),
    Spec::new(&["-q", "--quiet"], ValueKind::Flag, "says less"),
    Spec::new(&["--version"], ValueKind::Flag, "says its version and ends"),
    Spec::new(&["--skip-checks"], ValueKind::Flag, "leaves out the checks of Django").since(Release::V5_3),
];

/// The option of this very name.
#[must_use]
pub fn named(word: &str) -> Option<&'static Spec> {
    OPTIONS.iter().find(|option| option.names.contains(&word))
}

/// Of no table, since every command has it: says how it is used and ends.
pub static HELP: Spec = Spec::new(&["--help"], ValueKind::Flag, "says how it is used and ends");
