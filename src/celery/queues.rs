// SPDX-License-Identifier: Apache-2.0
//! Names of queues.

use std::collections::HashSet;

/// The queue that Celery uses when nobody names one.
pub const DEFAULT_QUEUE: &str = "celery";

/// The names in a list of queues, kept as they are, each once; empty ones are left out.
#[must_use]
pub fn names(list: &str) -> Vec<String> {
    let mut known = HashSet::new();
    let names = list.split(',').filter(|name| !name.is_empty());
    names.filter(|name| known.insert(*name)).map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_name_is_there_once_in_its_place() {
        assert_eq!(names("b,a,,b, a"), ["b", "a", " a"]);
        assert!(names(",").is_empty());
    }
}
