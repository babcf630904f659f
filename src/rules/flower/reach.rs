// SPDX-License-Identifier: Apache-2.0
//! Who reaches Flower, who of them has to say who they are, and who may send tasks.

use super::given::{Flower, Given, PATH};
use crate::api::{FlowerIngress, FlowerSpec, ServiceType};
use crate::effective::flower::service_type;

/// Who reaches Flower, from the fewest to the most.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Reach {
    /// Pods of the cluster.
    Cluster,
    /// Whom somebody in front lets through.
    Guarded,
    /// Whoever reaches a node or a load balancer.
    Everybody,
}

/// How far the Service and the Ingress let people in.
pub(super) fn reach(spec: &FlowerSpec) -> Reach {
    let service = match service_type(spec) {
        ServiceType::ClusterIp => Reach::Cluster,
        ServiceType::LoadBalancer if has_narrow_ranges(spec) || has_internal_address(spec) => Reach::Guarded,
        ServiceType::NodePort | ServiceType::LoadBalancer => Reach::Everybody,
    };
    let ingress = match &spec.ingress {
        None => Reach::Cluster,
        Some(ingress) if is_guarded(ingress) => Reach::Guarded,
        Some(_) => Reach::Everybody,
    };
    service.max(ingress)
}

fn has_narrow_ranges(spec: &FlowerSpec) -> bool {
    let ranges = &spec.load_balancer_source_ranges;
    !ranges.is_empty() && !ranges.iter().any(|range| range.trim().ends_with("/0"))
}

/// Annotations with which clouds keep a load balancer out of the internet.
fn has_internal_address(spec: &FlowerSpec) -> bool {
    spec.service_annotations.iter().any(|(key, value)| {
        let word = value.to_ascii_lowercase();
        (key.contains("internal")
            || key.ends_with("load-balancer-type")
            || key.ends_with("load-balancer-scheme"))
            && ["true", "internal"].contains(&word.as_str())
    })
}

/// Whether an annotation makes the Ingress ask who is there, or whence they come.
fn is_guarded(ingress: &FlowerIngress) -> bool {
    ingress.annotations.iter().any(|(key, value)| {
        let name = key.rsplit('/').next().unwrap_or_default();
        let asks = name.starts_with("auth-")
            || ["basic-auth-secret", "policies", "router.middlewares"].contains(&name)
            || ["whitelist-source-range", "allowlist-source-range", "inbound-cidrs"].contains(&name);
        (asks && !["", "none"].contains(&value.trim())) || (name == "scheme" && value == "internal")
    })
}

/// Whether somebody has to say who they are: yes, no, or perhaps.
pub(super) fn asks(flower: &Flower<'_>) -> Option<bool> {
    if flower.spec.auth.as_ref().is_some_and(|auth| auth.basic.is_some() || auth.oauth.is_some()) {
        return Some(true);
    }
    let options = [flower.option("basic_auth"), flower.option("auth")];
    let is_set = |given: &Given<'_>| match given {
        Given::Hidden(_) => true,
        Given::Text(text, _) => !text.is_empty(),
        Given::Absent | Given::Unknown => false,
    };
    if options.iter().any(is_set) {
        return Some(true);
    }
    (!options.contains(&Given::Unknown)).then_some(false)
}

/// Whether the object says in so many words that everybody may look, or has said too little (F34 tells).
pub(super) fn is_settled(flower: &Flower<'_>) -> bool {
    flower.spec.auth.is_some()
}

/// Where the API is opened to everybody.
pub(super) fn open_api(flower: &Flower<'_>) -> Option<String> {
    if flower.spec.unauthenticated_api == Some(true) {
        return Some(format!("{PATH}.unauthenticatedApi"));
    }
    let variable = flower.variable("FLOWER_UNAUTHENTICATED_API");
    let place = variable.text().map(|(_, place)| place.path().to_owned());
    place.filter(|_| variable.switch() == Some(true))
}
