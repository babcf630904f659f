// SPDX-License-Identifier: Apache-2.0
//! The options of `celery` itself, which stand before the sub-command: behind it, 5.x refuses them.

use super::{Kind, Release, Spec};

/// Every option of every release.
pub static OPTIONS: &[Spec] = &[
    Spec::new(&["-A", "--app"], Kind::Text, "the application"),
    Spec::new(&["-b", "--broker"], Kind::Text, "URL of the broker"),
    Spec::new(&["--result-backend"], Kind::Text, "URL of the result backend"),
    Spec::new(&["--loader"], Kind::Text, "class that loads the configuration"),
    Spec::new(&["--config"], Kind::Text, "module with the configuration"),
    Spec::new(&["--workdir"], Kind::Text, "folder to change to"),
    Spec::new(&["-C", "--no-color"], Kind::Flag, "no colours"),
    Spec::new(&["-q", "--quiet"], Kind::Flag, "says less"),
    Spec::new(&["--version"], Kind::Flag, "says its version and ends"),
    Spec::new(&["--skip-checks"], Kind::Flag, "leaves out the checks of Django").since(Release::V5_3),
];

/// Of no table, since every command has it: says how it is used and ends.
pub static HELP: Spec = Spec::new(&["--help"], Kind::Flag, "says how it is used and ends");
