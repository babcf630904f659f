// SPDX-License-Identifier: Apache-2.0
//! The options of `celery worker`.

use super::{Release, Spec, ValueKind};

/// Every option of every release.
pub static OPTIONS: &[Spec] = &[
    Spec::new(&["-n", "--hostname"], ValueKind::NodeName, "the node's name, which must be unique"),
    Spec::new(&["-D", "--detach"], ValueKind::Flag, "goes into the background"),
    Spec::new(&["-S", "--statedb"], ValueKind::NodePath, "file that keeps revoked tasks over a restart"),
    Spec::new(&["-l", "--loglevel"], ValueKind::LogLevel, "least level that is logged"),
    Spec::new(
        &["-O", "--optimization"],
        ValueKind::Choice(&["default", "fair"]),
        "how tasks are handed to children",
    )
    .long_since(Release::V5_3),
    Spec::new(&["--prefetch-multiplier"], ValueKind::Int, "messages held per child"),
    Spec::new(
        &["--disable-prefetch"],
        ValueKind::Flag,
        "takes a message only when a child is free; Redis only",
    )
    .since(Release::V5_6),
    Spec::new(&["-c", "--concurrency"], ValueKind::Concurrency, "children, threads or greenlets"),
    Spec::new(&["-P", "--pool"], ValueKind::Pool, "what runs the tasks"),
    Spec::new(&["-E", "--task-events", "--events"], ValueKind::Flag, "sends events that monitors read"),
    Spec::new(&["--time-limit"], ValueKind::Float, "seconds after which a task is killed"),
    Spec::new(&["--soft-time-limit"], ValueKind::Float, "seconds after which a task is interrupted"),
    Spec::new(&["--max-tasks-per-child"], ValueKind::Int, "tasks after which a child is replaced"),
    Spec::new(&["--maxtasksperchild"], ValueKind::Int, "old name of --max-tasks-per-child")
        .until(Release::V4_4),
    Spec::new(&["--pool-start-method"], ValueKind::Choice(&["fork", "spawn"]), "how children are started")
        .since(Release::V5_7),
    Spec::new(&["--max-memory-per-child"], ValueKind::Int, "KiB after which a child is replaced"),
    Spec::new(&["--maxmemperchild"], ValueKind::Int, "old name of --max-memory-per-child")
        .until(Release::V4_4),
    Spec::new(&["--purge", "--discard"], ValueKind::Flag, "deletes all waiting messages at start"),
    Spec::new(&["-Q", "--queues"], ValueKind::List, "queues to consume"),
    Spec::new(&["-X", "--exclude-queues"], ValueKind::List, "queues not to consume"),
    Spec::new(&["-I", "--include"], ValueKind::List, "modules to import"),
    Spec::new(&["--without-gossip"], ValueKind::Flag, "does not listen to other workers"),
    Spec::new(&["--without-mingle"], ValueKind::Flag, "does not ask other workers at start"),
    Spec::new(&["--without-heartbeat"], ValueKind::Flag, "sends no heartbeat events"),
    Spec::new(&["--heartbeat-interval"], ValueKind::Int, "seconds between heartbeat events"),
    Spec::new(&["--autoscale"], ValueKind::Autoscale, "most and fewest children"),
    Spec::new(&["-B", "--beat"], ValueKind::Flag, "runs the scheduler inside the worker"),
    Spec::new(
        &["-s", "--schedule-filename", "--schedule"],
        ValueKind::Text,
        "file of the embedded scheduler",
    ),
    Spec::new(&["--scheduler"], ValueKind::Text, "class of the embedded scheduler"),
    Spec::new(
        &["-f", "--logfile"],
        ValueKind::NodePath,
        "file to log to instead of the standard error output",
    ),
    Spec::new(&["--pidfile"], ValueKind::NodePath, "file that keeps a second process from starting"),
];
