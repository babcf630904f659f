// SPDX-License-Identifier: Apache-2.0
//! The options of `celery beat`.

use super::{Kind, Release, Spec};

/// Every option of every release.
pub static OPTIONS: &[Spec] = &[
    Spec::new(&["--detach"], Kind::Flag, "goes into the background"),
    Spec::new(&["-s", "--schedule"], Kind::Text, "file that keeps the last runs"),
    Spec::new(&["-S", "--scheduler"], Kind::Text, "class of the scheduler"),
    Spec::new(&["--max-interval"], Kind::Int, "longest sleep between two looks at the schedule, in seconds"),
    Spec::new(
        &["--enable-remote-control", "--no-enable-remote-control"],
        Kind::Switch,
        "answers to celery inspect ping",
    )
    .since(Release::V5_7),
    Spec::new(&["-n", "--hostname"], Kind::Text, "name under which it answers").since(Release::V5_7),
    Spec::new(&["-l", "--loglevel"], Kind::LogLevel, "least level that is logged"),
    Spec::new(&["-f", "--logfile"], Kind::Text, "file to log to instead of the standard error output"),
    Spec::new(&["--pidfile"], Kind::Text, "file that keeps a second process from starting"),
];
