// SPDX-License-Identifier: Apache-2.0
//! What containers request and are limited to, with what a pod template lays over it.

use std::collections::{BTreeMap, HashMap};

use k8s_openapi::api::core::v1::ResourceRequirements;
use k8s_openapi::apimachinery::pkg::api::resource::Quantity;

use crate::rules::subject::{Component, Subject};

/// The two lists of amounts.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Word {
    Requests,
    Limits,
}

/// The resources of all containers, each with its path.
pub(super) fn resources<'s>(
    subject: &'s Subject<'_>,
) -> impl Iterator<Item = (String, &'s ResourceRequirements)> {
    let components = subject.components().into_iter();
    let own = components.filter_map(|part| Some((format!("{}.resources", part.path), part.resources()?)));
    let further = subject.containers().chain(subject.laid_over());
    own.chain(further.filter_map(|(path, one)| Some((format!("{path}.resources"), one.resources.as_ref()?))))
}

/// The amounts of a container as the pod will have them.
pub(super) struct Amounts<'s> {
    pub(super) path: String,
    pub(super) requests: BTreeMap<&'s str, &'s Quantity>,
    pub(super) limits: BTreeMap<&'s str, &'s Quantity>,
    /// Where those stand that a pod template is laid over, and what the template says itself.
    beneath: Option<(String, &'s ResourceRequirements)>,
}

impl Amounts<'_> {
    /// The path of the resources that a request stands in.
    pub(super) fn of_requests(&self, name: &str) -> &str {
        let is_own = |own: &ResourceRequirements| own.requests.iter().any(|list| list.contains_key(name));
        match &self.beneath {
            Some((path, own)) if !is_own(own) => path,
            _ => &self.path,
        }
    }
}

/// The amounts of all containers. What a template lays over a component's container is merged with what that has, and
/// what nobody has changed is told of the component alone.
pub(super) fn effective<'s>(subject: &'s Subject<'_>) -> Vec<Amounts<'s>> {
    fn entries(resources: &ResourceRequirements, of: Word) -> impl Iterator<Item = (&str, &Quantity)> {
        let list = if of == Word::Requests { &resources.requests } else { &resources.limits };
        list.iter().flatten().map(|(name, amount)| (name.as_str(), amount))
    }
    let components = subject.components();
    let components: HashMap<&String, &Component<'_>> =
        components.iter().map(|component| (&component.path, component)).collect();
    let own = subject.laid_over.iter().filter_map(|laid| {
        let component = *components.get(laid.component.as_ref()?)?;
        let is_own = component.part.own_container() == laid.container.name;
        is_own.then(|| (format!("{}.resources", laid.path), component))
    });
    let own: HashMap<String, &Component<'_>> = own.collect();
    let amounts = |(path, resources): (String, &'s ResourceRequirements)| {
        let component = own.get(&path);
        let beneath =
            component.and_then(|part| Some((format!("{}.resources", part.path), part.resources()?)));
        let below = |of| beneath.iter().flat_map(move |(_, resources)| entries(resources, of));
        Amounts {
            requests: below(Word::Requests).chain(entries(resources, Word::Requests)).collect(),
            limits: below(Word::Limits).chain(entries(resources, Word::Limits)).collect(),
            beneath: beneath.as_ref().map(|(path, _)| (path.clone(), resources)),
            path,
        }
    };
    resources(subject).map(amounts).collect()
}
