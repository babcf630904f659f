// SPDX-License-Identifier: Apache-2.0
//! The options that `worker` and `beat` have in common, for a life without a container. Two more are in both tables: a
//! worker puts its name in the place of `%n` in their paths, beat does not.

use super::{Spec, ValueKind};

/// Every option of every release.
pub static OPTIONS: &[Spec] = &[
    Spec::new(&["--uid"], ValueKind::Text, "user to become"),
    Spec::new(&["--gid"], ValueKind::Text, "group to become"),
    Spec::new(&["--umask"], ValueKind::Text, "mask of new files"),
    Spec::new(&["--executable"], ValueKind::Text, "Python to use when it goes into the background"),
];
