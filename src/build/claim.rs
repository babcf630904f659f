// SPDX-License-Identifier: Apache-2.0
//! The claims of Flower and beat. What they hold outlives the Celery unless the user says otherwise: they have no owner,
//! and are found again by their name and labels.

use k8s_openapi::api::core::v1::{
    PersistentVolumeClaim, PersistentVolumeClaimSpec, VolumeResourceRequirements,
};

use super::manifest::{ChildKind, Manifest};
use super::{Children, metadata};
use crate::labels::Component;
use crate::names;
use crate::resolve::{NewClaim, Resolved, Storage};

pub(super) fn claims(resolved: &Resolved, children: &mut Children) {
    let flower = resolved.flower.as_ref().and_then(|flower| flower.storage.as_ref());
    let beat = resolved.beat.as_ref().and_then(|beat| beat.storage.as_ref());
    let stores = [
        (names::flower(&resolved.app), Component::Flower, flower),
        (names::beat(&resolved.app), Component::Beat, beat),
    ];
    for (name, component, storage) in &stores {
        let new = storage.and_then(|storage| storage.new.as_ref());
        children.manifests.extend(new.map(|new| claim(resolved, name, *component, new)));
    }
    // A claim that was made once and is named as an existing one now: it may still have an owner, and must not go.
    let used =
        |name: &str| stores.iter().filter_map(|(.., storage)| *storage).any(|it: &Storage| it.claim == name);
    for (name, ..) in &stores {
        let is_made = children.manifests.iter().any(|manifest| manifest.name == *name);
        if used(name) && !is_made {
            children.kept.push((ChildKind::PersistentVolumeClaim, name.clone()));
        }
    }
}

fn claim(resolved: &Resolved, name: &str, component: Component, new: &NewClaim) -> Manifest {
    let mut metadata = metadata(resolved, name, Some(component), None);
    if new.retain {
        metadata.owner_references = None;
    }
    let object = PersistentVolumeClaim {
        metadata,
        spec: Some(PersistentVolumeClaimSpec {
            access_modes: Some(vec!["ReadWriteOnce".to_owned()]),
            resources: Some(VolumeResourceRequirements {
                requests: Some([("storage".to_owned(), new.size.clone())].into()),
                ..VolumeResourceRequirements::default()
            }),
            storage_class_name: new.storage_class.clone(),
            ..PersistentVolumeClaimSpec::default()
        }),
        status: None,
    };
    Manifest::new(ChildKind::PersistentVolumeClaim, name, &object)
}
