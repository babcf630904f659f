// SPDX-License-Identifier: Apache-2.0
//! The options of `celery worker`.

use super::{Kind, Release, Spec};

/// Every option of every release.
pub static OPTIONS: &[Spec] = &[
    Spec::new(&["-n", "--hostname"], Kind::NodeName, "the node's name, which must be unique"),
    Spec::new(&["-D", "--detach"], Kind::Flag, "goes into the background"),
    Spec::new(&["-S", "--statedb"], Kind::NodePath, "file that keeps revoked tasks over a restart"),
    Spec::new(&["-l", "--loglevel"], Kind::LogLevel, "least level that is logged"),
    Spec::new(
        &["-O", "--optimization"],
        Kind::Choice(&["default", "fair"]),
        "how tasks are handed to children",
    )
    .long_since(Release::V5_3),
    Spec::new(&["--prefetch-multiplier"], Kind::Int, "messages held per child"),
    Spec::new(&["--disable-prefetch"], Kind::Flag, "takes a message only when a child is free; Redis only")
        .since(Release::V5_6),
    Spec::new(&["-c", "--concurrency"], Kind::Concurrency, "children, threads or greenlets"),
    Spec::new(&["-P", "--pool"], Kind::Pool, "what runs the tasks"),
    Spec::new(&["-E", "--task-events", "--events"], Kind::Flag, "sends events that monitors read"),
    Spec::new(&["--time-limit"], Kind::Float, "seconds after which a task is killed"),
    Spec::new(&["--soft-time-limit"], Kind::Float, "seconds after which a task is interrupted"),
    Spec::new(&["--max-tasks-per-child"], Kind::Int, "tasks after which a child is replaced"),
    Spec::new(&["--maxtasksperchild"], Kind::Int, "old name of --max-tasks-per-child").until(Release::V4_4),
    Spec::new(&["--pool-start-method"], Kind::Choice(&["fork", "spawn"]), "how children are started")
        .since(Release::V5_7),
    Spec::new(&["--max-memory-per-child"], Kind::Int, "KiB after which a child is replaced"),
    Spec::new(&["--maxmemperchild"], Kind::Int, "old name of --max-memory-per-child").until(Release::V4_4),
    Spec::new(&["--purge", "--discard"], Kind::Flag, "deletes all waiting messages at start"),
    Spec::new(&["-Q", "--queues"], Kind::List, "queues to consume"),
    Spec::new(&["-X", "--exclude-queues"], Kind::List, "queues not to consume"),
    Spec::new(&["-I", "--include"], Kind::List, "modules to import"),
    Spec::new(&["--without-gossip"], Kind::Flag, "does not listen to other workers"),
    Spec::new(&["--without-mingle"], Kind::Flag, "does not ask other workers at start"),
    Spec::new(&["--without-heartbeat"], Kind::Flag, "sends no heartbeat events"),
    Spec::new(&["--heartbeat-interval"], Kind::Int, "seconds between heartbeat events"),
    Spec::new(&["--autoscale"], Kind::Autoscale, "most and fewest children"),
    Spec::new(&["-B", "--beat"], Kind::Flag, "runs the scheduler inside the worker"),
    Spec::new(&["-s", "--schedule-filename", "--schedule"], Kind::Text, "file of the embedded scheduler"),
    Spec::new(&["--scheduler"], Kind::Text, "class of the embedded scheduler"),
    Spec::new(&["-f", "--logfile"], Kind::NodePath, "file to log to instead of the standard error output"),
    Spec::new(&["--pidfile"], Kind::NodePath, "file that keeps a second process from starting"),
];
