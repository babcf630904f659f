// SPDX-License-Identifier: Apache-2.0
//! The containers that pod templates lay over the rendered ones.

use k8s_openapi::api::core::v1::Container;
use serde::Deserialize as _;

use super::Subject;
use crate::api::limits;

/// The list of the containers that run before the others.
const INIT: &str = "initContainers";

/// A container of a pod template.
#[derive(Clone, Debug)]
pub(in crate::rules) struct LaidOver {
    /// `spec.common.podTemplate.spec.containers[0]`
    pub(in crate::rules) path: String,
    /// The component whose template it is; none for the shared one.
    pub(in crate::rules) component: Option<String>,
    /// Whether it runs before the others.
    pub(in crate::rules) is_init: bool,
    /// Its fields. It may be laid over another of its name, and then has a part of them only.
    pub(in crate::rules) container: Container,
}

/// The containers of all pod templates. One that has wrong types is the matter of C24.
pub(super) fn laid_over(subject: &Subject<'_>) -> Vec<LaidOver> {
    let shared = subject.common().pod_template.as_ref();
    let shared = shared.map(|template| (None, "spec.common".to_owned(), template)).into_iter();
    let own = subject.components().into_iter().filter_map(|component| {
        let template = component.pod_template()?;
        Some((Some(component.path.clone()), component.path, template))
    });
    let mut found = Vec::new();
    for (component, path, template) in shared.chain(own) {
        for list in ["containers", INIT] {
            let items = template.0["spec"][list].as_array().into_iter().flatten().enumerate();
            for (index, item) in items.take(limits::ITEMS) {
                // What is taken away has no fields.
                let is_there = item.is_object() && item.get("$patch").is_none();
                if let Some(container) = is_there.then(|| Container::deserialize(item).ok()).flatten() {
                    let path = format!("{path}.podTemplate.spec.{list}[{index}]");
                    let is_init = list == INIT;
                    found.push(LaidOver { path, component: component.clone(), is_init, container });
                }
            }
        }
    }
    found
}
