// SPDX-License-Identifier: Apache-2.0
//! The files by which a worker or beat shows that it lives, and by which a probe sees it.
//!
//! They are a `ConfigMap` and not words of the pod template: what they say can get better without a rollout.

use k8s_openapi::api::core::v1::ConfigMap;

use super::manifest::{ChildKind, Manifest};
use super::{metadata, text_map};
use crate::names;
use crate::resolve::Resolved;

/// The module that Celery loads.
const MODULE: &str = include_str!("celery_operator_probe.py");
/// What starts Celery with the module within reach.
const START: &str = include_str!("start.sh");
/// What a probe runs.
const CHECK: &str = include_str!("check.sh");

/// The files, where any pod has a use for them.
pub(super) fn files(resolved: &Resolved) -> Option<Manifest> {
    let workers = resolved.pools.iter().any(|pool| pool.has_heartbeat);
    if !workers && !resolved.beat.as_ref().is_some_and(|beat| beat.has_heartbeat) {
        return None;
    }
    let name = names::probe_files(&resolved.app);
    let object = ConfigMap {
        metadata: metadata(resolved, &name, None, None),
        data: Some(text_map([
            ("celery_operator_probe.py", MODULE),
            ("start.sh", START),
            ("check.sh", CHECK),
        ])),
        ..ConfigMap::default()
    };
    Some(Manifest::new(ChildKind::ConfigMap, &name, &object))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::resolve::{PROBE_FILES, PROBE_STATE};

    #[test]
    fn every_file_names_the_folders_that_are_mounted() {
        for file in [MODULE, START, CHECK] {
            assert!(file.contains(PROBE_STATE), "{file}");
        }
        assert!(START.contains(PROBE_FILES));
    }
}
