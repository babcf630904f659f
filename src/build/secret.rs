// SPDX-License-Identifier: Apache-2.0
//! The Secrets that are made from what the user wrote in parts.

use k8s_openapi::ByteString;
use k8s_openapi::api::core::v1::Secret;

use super::manifest::{ChildKind, Manifest};
use super::{Children, metadata};
use crate::names;
use crate::resolve::{Resolved, SecretData};

/// The Secret with the broker's URL, made from typed parts.
pub(super) fn broker(resolved: &Resolved, children: &mut Children) {
    let Some(broker) = resolved.broker.as_ref().filter(|broker| broker.has_secret) else {
        return;
    };
    let name = names::broker_secret(&resolved.app);
    match &broker.secret {
        Some(data) => children.manifests.push(secret(resolved, &name, data)),
        None => children.kept.push((ChildKind::Secret, name)),
    }
}

pub(super) fn secret(resolved: &Resolved, name: &str, data: &SecretData) -> Manifest {
    let object = Secret {
        metadata: metadata(resolved, name, None, None),
        type_: Some("Opaque".to_owned()),
        data: Some(
            data.iter().map(|(key, text)| (key.clone(), ByteString(text.clone().into_bytes()))).collect(),
        ),
        ..Secret::default()
    };
    Manifest::new(ChildKind::Secret, name, &object)
}
