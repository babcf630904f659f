// SPDX-License-Identifier: Apache-2.0
//! Which objects exist for a resolved Celery. Pure and total: the same value always gives the same objects, byte by
//! byte, in every release, so that an upgrade of the operator restarts nobody's workers (golden files hold it).

mod applied;
mod beat;
mod budget;
mod claim;
mod count;
mod deployment;
mod flower;
mod hpa;
mod ingress;
mod manifest;
mod mentions;
mod monitor;
mod overlay;
mod probe;
mod references;
mod scaled_object;
mod secret;
mod stamp;
mod triggers;
mod worker;

use std::collections::BTreeMap;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::{ObjectMeta, OwnerReference};

use crate::labels::{self, Component};
use crate::resolve::{Resolved, Scaler};
pub use applied::Applied;
pub use count::counted;
pub use deployment::pull_policy;
pub use manifest::{ChildKey, ChildKind, Manifest};
pub use mentions::mentions;
pub use references::{ConfigKind, ConfigRef, Keys, Reading, references};
pub use stamp::{Look, Stamp, Stamped, stamped};

/// What the cluster offers beyond Kubernetes itself.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Capabilities {
    /// KEDA's definitions are installed.
    pub keda: bool,
    /// Those of the Prometheus operator are.
    pub monitors: bool,
}

/// The children, in the order in which they are applied.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Children {
    /// What has to be there.
    pub manifests: Vec<Manifest>,
    /// What stays as it is if it is there: something it depends on is not known at the moment, or it is a claim that is
    /// used and no longer made.
    pub kept: Vec<(ChildKind, String)>,
}

/// The children of a Celery.
#[must_use]
pub fn children(resolved: &Resolved, capabilities: Capabilities) -> Children {
    let mut children = Children::default();
    secret::broker(resolved, &mut children);
    claim::claims(resolved, &mut children);
    children.manifests.extend(probe::files(resolved));
    for pool in &resolved.pools {
        children.manifests.push(worker::deployment(resolved, pool));
        children.manifests.extend(budget::budget(resolved, pool));
    }
    children.manifests.extend(resolved.beat.iter().map(|beat| beat::deployment(resolved, beat)));
    if let Some(flower) = &resolved.flower {
        children.manifests.push(flower::deployment(resolved, flower));
        children.manifests.push(flower::service(resolved, flower));
        children
            .manifests
            .extend(flower.entrance.iter().map(|entrance| ingress::ingress(resolved, entrance)));
        children.manifests.extend(monitor::monitor(resolved, flower, capabilities));
    }
    for target in targets(resolved) {
        match &target.scaler.queue {
            None => children.manifests.push(hpa::hpa(resolved, &target)),
            Some(queue) => scaled_object::keda(resolved, &target, queue, capabilities, &mut children),
        }
    }
    children
}

/// A Deployment that something scales.
struct Target<'a> {
    name: String,
    component: Component,
    pool: Option<&'a str>,
    container: &'static str,
    scaler: &'a Scaler,
}

fn targets(resolved: &Resolved) -> impl Iterator<Item = Target<'_>> {
    let pools = resolved.pools.iter().filter_map(|pool| {
        Some(Target {
            name: crate::names::worker(&resolved.app, &pool.name),
            component: Component::Worker,
            pool: Some(&pool.name),
            container: crate::names::WORKER_CONTAINER,
            scaler: pool.scaler.as_ref()?,
        })
    });
    let flower = resolved.flower.iter().filter_map(|flower| {
        Some(Target {
            name: crate::names::flower(&resolved.app),
            component: Component::Flower,
            pool: None,
            container: crate::names::FLOWER_CONTAINER,
            scaler: flower.scaler.as_ref()?,
        })
    });
    pools.chain(flower)
}

/// Metadata of every child: its name, our labels, and the owner whose deletion takes it along.
fn metadata(resolved: &Resolved, name: &str, component: Option<Component>, pool: Option<&str>) -> ObjectMeta {
    let owner = &resolved.owner;
    ObjectMeta {
        name: Some(name.to_owned()),
        namespace: Some(owner.namespace.clone()),
        labels: Some(labels::child(&owner.name, &resolved.app, component, pool)),
        owner_references: Some(vec![OwnerReference {
            api_version: crate::api::API_VERSION.to_owned(),
            kind: "Celery".to_owned(),
            name: owner.name.clone(),
            uid: owner.uid.clone(),
            controller: Some(true),
            block_owner_deletion: Some(true),
        }]),
        ..ObjectMeta::default()
    }
}

fn text_map<const N: usize>(entries: [(&str, &str); N]) -> BTreeMap<String, String> {
    entries.into_iter().map(|(key, value)| (key.to_owned(), value.to_owned())).collect()
}
