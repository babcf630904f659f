// SPDX-License-Identifier: Apache-2.0
//! Names of queues.

/// The queue that Celery uses when nobody names one.
pub const DEFAULT_QUEUE: &str = "celery";

/// The names in a list of queues, kept as they are, each once; empty ones are left out.
#[must_use]
pub fn names(list: &str) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    for name in list.split(',').filter(|name| !name.is_empty()) {
        if !names.iter().any(|known| known == name) {
            names.push(name.to_owned());
        }
    }
    names
}
