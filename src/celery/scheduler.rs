// SPDX-License-Identifier: Apache-2.0
//! Schedulers of beat by their names.

/// The one that beat takes when nobody names another: it keeps a file.
pub const DEFAULT: &str = "celery.beat:PersistentScheduler";
/// The spellings of its class.
const PERSISTENT: [&str; 2] = [DEFAULT, "celery.beat.PersistentScheduler"];
/// Those of the class that it is made of.
const PLAIN: [&str; 2] = ["celery.beat:Scheduler", "celery.beat.Scheduler"];
/// Names that a package registers for its scheduler.
const REGISTERED: [&str; 1] = ["django"];

/// Whether a scheduler is the one that keeps a file.
#[must_use]
pub fn keeps_a_file(name: &str) -> bool {
    PERSISTENT.contains(&name)
}

/// Whether a scheduler is Celery's own, with a file or without one.
#[must_use]
pub fn is_of_celery(name: &str) -> bool {
    keeps_a_file(name) || PLAIN.contains(&name)
}

/// Whether a name stands for a class, as a known package registers it.
#[must_use]
pub fn is_registered(name: &str) -> bool {
    REGISTERED.contains(&name)
}
