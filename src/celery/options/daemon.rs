// SPDX-License-Identifier: Apache-2.0
//! The options that `worker` and `beat` have in common, for a life without a container.

use super::{Kind, Spec};

/// Every option of every release.
pub static OPTIONS: &[Spec] = &[
    Spec::new(&["-f", "--logfile"], Kind::NodePath, "file to log to instead of the standard error output"),
    Spec::new(&["--pidfile"], Kind::NodePath, "file that keeps a second process from starting"),
    Spec::new(&["--uid"], Kind::Text, "user to become"),
    Spec::new(&["--gid"], Kind::Text, "group to become"),
    Spec::new(&["--umask"], Kind::Text, "mask of new files"),
    Spec::new(&["--executable"], Kind::Text, "Python to use when it goes into the background"),
];
