// SPDX-License-Identifier: Apache-2.0
//! The words of a worker's command line that are fields of their own.

use super::open::Word;

/// What runs the tasks of a worker.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WorkerPoolKind {
    /// Child processes.
    Prefork,
    /// The worker's own process, one task at a time.
    Solo,
    /// Threads.
    Threads,
    /// Green threads of gevent.
    Gevent,
    /// Green threads of eventlet.
    Eventlet,
    /// The class that `CELERY_CUSTOM_WORKER_POOL` names.
    Custom,
}

impl Word for WorkerPoolKind {
    const SPELLINGS: &'static [(&'static str, Self)] = &[
        ("prefork", Self::Prefork),
        ("solo", Self::Solo),
        ("threads", Self::Threads),
        ("gevent", Self::Gevent),
        ("eventlet", Self::Eventlet),
        ("custom", Self::Custom),
    ];
}

/// What is logged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogLevel {
    /// Everything.
    Debug,
    /// What happens.
    Info,
    /// What should not happen.
    Warning,
    /// What went wrong.
    Error,
    /// What ends the worker.
    Critical,
    /// Another name of the same.
    Fatal,
}

impl Word for LogLevel {
    const SPELLINGS: &'static [(&'static str, Self)] = &[
        ("DEBUG", Self::Debug),
        ("INFO", Self::Info),
        ("WARNING", Self::Warning),
        ("ERROR", Self::Error),
        ("CRITICAL", Self::Critical),
        ("FATAL", Self::Fatal),
        ("debug", Self::Debug),
        ("info", Self::Info),
        ("warning", Self::Warning),
        ("error", Self::Error),
        ("critical", Self::Critical),
        ("fatal", Self::Fatal),
    ];
}

/// How tasks are given to child processes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Optimization {
    /// To the next one in turn, even when it is busy.
    Default,
    /// To one that is free.
    Fair,
}

impl Word for Optimization {
    const SPELLINGS: &'static [(&'static str, Self)] = &[("default", Self::Default), ("fair", Self::Fair)];
}

/// How child processes are started.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StartMethod {
    /// As a copy of the worker.
    Fork,
    /// As a fresh interpreter.
    Spawn,
}

impl Word for StartMethod {
    const SPELLINGS: &'static [(&'static str, Self)] = &[("fork", Self::Fork), ("spawn", Self::Spawn)];
}
