// SPDX-License-Identifier: Apache-2.0
//! What Argo CD takes for an application's own, and would delete because git does not have it.

use super::judge::{Judge, TRACKED};
use super::{desired, name, root, settled};
use crate::rig::shared;
use crate::space::Space;

#[test]
fn of_all_that_belongs_to_a_celery_only_the_celery_is_argos() {
    let mut judge = Judge::of(shared());
    let space = Space::new(shared(), "tracked");
    let wanted = desired(&root().join("config/samples/volumes-and-heartbeat.yaml"), &space);
    judge.apply(&wanted, "client");
    let name = name(&wanted);
    settled(&space, name);
    for claim in ["beat", "flower"] {
        space.until_there("persistentvolumeclaims", &format!("{name}-{claim}"));
    }
    space.until("deployments", &format!("{name}-worker"), |live| live["status"]["replicas"] != 0);
    let mark = wanted["metadata"]["annotations"][TRACKED].as_str().unwrap();
    assert_eq!(judge.managed(&space.name, TRACKED, mark), [format!("Celery/{name}")]);
    // Tracked by label, an application of the same name takes what has no owner: docs/gitops.md warns of it.
    let by_label = judge.managed(&space.name, "app.kubernetes.io/instance", name);
    let claims = ["beat", "flower"].map(|part| format!("PersistentVolumeClaim/{name}-{part}"));
    assert_eq!(by_label, claims);
}
