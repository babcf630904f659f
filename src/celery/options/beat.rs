// SPDX-License-Identifier: Apache-2.0
//! The options of `celery beat`.

use super::{Release, Spec, ValueKind};

/// Every option of every release.
pub static OPTIONS: &[Spec] = &[
    Spec::new(&["--detach"], ValueKind::Flag, "goes into the background"),
    Spec::new(&["-s", "--schedule"], ValueKind::Text, "file that keeps the last runs"),
    Spec::new(&["-S", "--scheduler"], ValueKind::Text, "class of the scheduler"),
    Spec::new(
        &["--max-interval"],
        ValueKind::Int,
        "longest sleep between two looks at the schedule, in seconds",
    ),
    Spec::new(
        &["--enable-remote-control", "--no-enable-remote-control"],
        ValueKind::Switch,
        "answers to celery inspect ping",
    )
    .since(Release::V5_7),
    Spec::new(&["-n", "--hostname"], ValueKind::Text, "name under which it answers").since(Release::V5_7),
    Spec::new(&["-l", "--loglevel"], ValueKind::LogLevel, "least level that is logged"),
    Spec::new(&["-f", "--logfile"], ValueKind::Text, "file to log to instead of the standard error output"),
    Spec::new(&["--pidfile"], ValueKind::Text, "file that keeps a second process from starting"),
];
