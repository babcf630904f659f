// SPDX-License-Identifier: Apache-2.0
//! Rules about who reaches Flower, and over which doors: Service, Ingress, and the API that sends tasks.

use std::net::IpAddr;

use super::given::{Flower, PATH};
use super::reach::{Reach, asks, is_settled, open_api, reach};
use crate::api::{Open, PathType, ServiceType};
use crate::effective::flower::service_type;
use crate::rules::finding::{Kind, Report, Severity};
use crate::rules::rule::{Check, Example, Rule};
use crate::rules::subject::Subject;

/// The annotation that named the class before there was a field.
const INGRESS_CLASS: &str = "kubernetes.io/ingress.class";

#[rustfmt::skip] // A table: one rule, one block.
pub(in crate::rules) const RULES: &[Rule] = &[
    Rule {
        id: "F08", severity: Severity::Deny, schema: true, since: "0.1",
        title: "serviceType, sessionAffinity and pathType are words that have a meaning",
        consequence: "An ExternalName Service points nowhere; any other word is refused by the API server when the operator applies it.",
        check: Check::object(f08),
        example: Example {
            bad: "spec: {flowerSpec: {serviceType: ExternalName, auth: {allowUnauthenticated: true}}}",
            at: "spec.flowerSpec.serviceType",
            good: "spec: {flowerSpec: {serviceType: Default, auth: {allowUnauthenticated: true}}}",
            old: None,
        },
    },
    Rule {
        id: "F09", severity: Severity::Deny, schema: true, since: "0.1",
        title: "servicePort and nodePort are ports",
        consequence: "Flower starts, listens nowhere, and the Service cannot be created.",
        check: Check::field(&["spec.flowerSpec.servicePort", "spec.flowerSpec.nodePort"], "use a port from 1 to 65535").and(f09).or(Severity::Warn, "for a nodePort outside of 30000-32767"),
        example: Example {
            bad: "spec: {flowerSpec: {servicePort: 70000, auth: {allowUnauthenticated: true}}}",
            at: "spec.flowerSpec.servicePort",
            good: "spec: {flowerSpec: {servicePort: 8080, serviceType: NodePort, nodePort: 30080, auth: {allowUnauthenticated: true}}}",
            old: None,
        },
    },
    Rule {
        id: "F10", severity: Severity::Deny, schema: false, since: "0.1",
        title: "whoever reaches Flower from outside the cluster has to say who they are",
        consequence: "Everybody who reaches the address reads the arguments and results of every task; with Flower 1.x they also stop workers.",
        check: Check::object(f10).or(Severity::Warn, "when something in front of Flower, or out of sight, may ask for a password"),
        example: Example {
            bad: "spec: {flowerSpec: {serviceType: NodePort}}",
            at: "spec.flowerSpec.auth",
            good: "spec: {flowerSpec: {serviceType: NodePort, auth: {basic: {secretRef: {name: flower, key: users}}}}}",
            old: None,
        },
    },
    Rule {
        id: "F11", severity: Severity::Warn, schema: false, since: "0.1",
        title: "Flower asks who is there, or is open on purpose",
        consequence: "Every pod of the cluster reads the arguments and results of every task; with Flower 1.x it also stops workers.",
        check: Check::object(f11),
        example: Example {
            bad: "spec: {flowerSpec: {}}",
            at: "spec.flowerSpec.auth",
            good: "spec: {flowerSpec: {auth: {allowUnauthenticated: true}}}",
            old: None,
        },
    },
    Rule {
        id: "F12", severity: Severity::Deny, schema: false, since: "0.1",
        title: "the API is not open to everybody outside the cluster",
        consequence: "Everybody who reaches the address sends any task with any argument, and shuts workers down.",
        check: Check::object(f12).or(Severity::Warn, "when something in front of Flower, or out of sight, may ask for a password"),
        example: Example {
            bad: "spec: {flowerSpec: {serviceType: LoadBalancer, unauthenticatedApi: true, auth: {allowUnauthenticated: true}}}",
            at: "spec.flowerSpec.unauthenticatedApi",
            good: "spec: {flowerSpec: {unauthenticatedApi: true, auth: {allowUnauthenticated: true}}}",
            old: None,
        },
    },
    Rule {
        id: "F24", severity: Severity::Deny, schema: false, since: "0.1",
        title: "the path of the Ingress lets everything below urlPrefix through",
        consequence: "Flower answers below its prefix only: everything else is a 404, and so is what the Ingress rewrites.",
        check: Check::object(f24).or(Severity::Warn, "for the annotation rewrite-target, and for an ImplementationSpecific path without urlPrefix"),
        example: Example {
            bad: "spec: {flowerSpec: {urlPrefix: flower, ingress: {path: /monitor}, auth: {allowUnauthenticated: true}}}",
            at: "spec.flowerSpec.ingress.path",
            good: "spec: {flowerSpec: {urlPrefix: flower, ingress: {path: /flower}, auth: {allowUnauthenticated: true}}}",
            old: None,
        },
    },
    Rule {
        id: "F36", severity: Severity::Deny, schema: true, since: "0.1",
        title: "loadBalancerSourceRanges are ranges of addresses, for a load balancer",
        consequence: "The API server refuses the Service, and Flower is not reached at all.",
        check: Check::object(f36),
        example: Example {
            bad: "spec: {flowerSpec: {loadBalancerSourceRanges: [10.0.0.0/8], auth: {allowUnauthenticated: true}}}",
            at: "spec.flowerSpec.loadBalancerSourceRanges",
            good: "spec: {flowerSpec: {serviceType: LoadBalancer, loadBalancerSourceRanges: [10.0.0.0/8], auth: {allowUnauthenticated: true}}}",
            old: None,
        },
    },
    Rule {
        id: "F42", severity: Severity::Deny, schema: false, since: "0.1",
        title: "the host of the Ingress is a host name",
        consequence: "The API server refuses the Ingress, and Flower is not reached at all.",
        check: Check::field(&["spec.flowerSpec.ingress.host"], "use one such as flower.example.com, without scheme, port and path"),
        example: Example {
            bad: "spec: {flowerSpec: {ingress: {host: 'https://flower.example.com'}, auth: {allowUnauthenticated: true}}}",
            at: "spec.flowerSpec.ingress.host",
            good: "spec: {flowerSpec: {ingress: {host: flower.example.com}, auth: {allowUnauthenticated: true}}}",
            old: None,
        },
    },
    Rule {
        id: "F65", severity: Severity::Deny, schema: false, since: "0.1",
        title: "the Ingress has one class",
        consequence: "The API server refuses an Ingress whose className and annotation differ, and Flower is not reached.",
        check: Check::object(f65),
        example: Example {
            bad: "spec: {flowerSpec: {ingress: {className: nginx, annotations: {kubernetes.io/ingress.class: alb}}, auth: {allowUnauthenticated: true}}}",
            at: "spec.flowerSpec.ingress.className",
            good: "spec: {flowerSpec: {ingress: {className: nginx, annotations: {kubernetes.io/ingress.class: nginx}}, auth: {allowUnauthenticated: true}}}",
            old: None,
        },
    },
];

fn f08(subject: &Subject<'_>, report: &mut Report<'_>) {
    let Some(spec) = &subject.object.spec.flower_spec else { return };
    if let Some(written) = &spec.service_type {
        let message = "is not a type of Service that Flower can have";
        report.unsupported(written, format!("{PATH}.serviceType"), message);
    }
    if let Some(written) = &spec.session_affinity {
        let message = "is not a way to keep a client at its pod";
        report.unsupported(written, format!("{PATH}.sessionAffinity"), message);
    }
    if let Some(written) = spec.ingress.as_ref().and_then(|ingress| ingress.path_type.as_ref()) {
        let message = "is not a way to compare paths";
        report.unsupported(written, format!("{PATH}.ingress.pathType"), message);
    }
}

fn f09(subject: &Subject<'_>, report: &mut Report<'_>) {
    let Some(spec) = &subject.object.spec.flower_spec else { return };
    let Some(port) = spec.node_port.filter(|port| (1..=65535).contains(port)) else { return };
    let path = format!("{PATH}.nodePort");
    if service_type(spec) == ServiceType::ClusterIp {
        let message = "a Service inside the cluster has no port on the nodes";
        report.add(Kind::Forbidden, path, message, "set serviceType to NodePort or LoadBalancer");
    } else if !(30000..=32767).contains(&port) {
        let message = "is outside 30000-32767, the usual range of nodes";
        report.graded(Severity::Warn, Kind::Invalid, path, message, "use a port inside");
    }
}

fn f10(subject: &Subject<'_>, report: &mut Report<'_>) {
    let Some(flower) = Flower::of(subject) else { return };
    let reach = reach(flower.spec);
    let asks = asks(&flower);
    if reach == Reach::Cluster || is_settled(&flower) || asks == Some(true) {
        return;
    }
    // The API is the wider of the two doors: F12 tells.
    if asks == Some(false) && open_api(&flower).is_some() {
        return;
    }
    let path = format!("{PATH}.auth");
    let (severity, message) = match (reach, asks) {
        (Reach::Everybody, Some(_)) => {
            (Severity::Deny, "everybody who reaches Flower from outside reads all tasks and results")
        }
        (Reach::Everybody, None) => {
            (Severity::Warn, "Flower is reached from outside, no password is in sight")
        }
        _ => (Severity::Warn, "only what stands before Flower protects it"),
    };
    let fix = "set auth.basic or auth.oauth, or auth.allowUnauthenticated: true";
    let fix = if severity == Severity::Deny { fix } else { "set basic or oauth" };
    report.graded(severity, Kind::Required, path, message, fix);
}

fn f11(subject: &Subject<'_>, report: &mut Report<'_>) {
    let Some(flower) = Flower::of(subject) else { return };
    if reach(flower.spec) != Reach::Cluster || is_settled(&flower) || asks(&flower) != Some(false) {
        return;
    }
    let message = match open_api(&flower) {
        Some(_) => "any pod in the cluster can send tasks",
        None => "any pod in the cluster can read all tasks",
    };
    report.add(Kind::Required, format!("{PATH}.auth"), message, "set basic, oauth or allowUnauthenticated");
}

fn f12(subject: &Subject<'_>, report: &mut Report<'_>) {
    let Some(flower) = Flower::of(subject) else { return };
    // With authentication the switch has no effect.
    if reach(flower.spec) == Reach::Cluster || asks(&flower) == Some(true) {
        return;
    }
    if let Some(path) = open_api(&flower) {
        let guarded = reach(flower.spec) == Reach::Guarded || asks(&flower).is_none();
        let severity = if guarded { Severity::Warn } else { Severity::Deny };
        let message = "opens the API to everybody outside";
        report.graded(severity, Kind::Forbidden, path, message, "remove it, or set auth.basic or auth.oauth");
    }
}

fn f24(subject: &Subject<'_>, report: &mut Report<'_>) {
    let Some(flower) = Flower::of(subject) else { return };
    let Some(ingress) = &flower.spec.ingress else { return };
    if ingress.annotations.keys().any(|key| key.ends_with("/rewrite-target")) {
        let path = format!("{PATH}.ingress.annotations");
        let message = "rewrite-target breaks Flower's links";
        return report.graded(Severity::Warn, Kind::Forbidden, path, message, "use urlPrefix instead");
    }
    let Some(prefix) = flower.url_prefix() else { return };
    let Some(path) = ingress.path.as_deref() else { return };
    let at = format!("{PATH}.ingress.path");
    let type_ = ingress.path_type.as_ref().map_or(Some(PathType::Prefix), Open::known);
    if !path.starts_with('/') || path.contains("//") {
        report.add(Kind::Invalid, at, "is not a path that an Ingress takes", "begin it with one \"/\"");
    } else if type_ == Some(PathType::Exact) {
        let message = "lets a single page through, since pathType is Exact";
        report.add(Kind::Invalid, at, message, "use the pathType Prefix");
    } else if type_ == Some(PathType::Prefix) && !covers(path, &prefix) {
        let wanted = format!("/{prefix}");
        report.add(
            Kind::Invalid,
            at,
            format!("Flower answers below {wanted:?} only"),
            own_prefix(path, &prefix).unwrap_or_else(|| format!("use {wanted:?}, or leave it out")),
        );
    } else if type_ == Some(PathType::ImplementationSpecific)
        && let Some(fix) = own_prefix(path, &prefix)
    {
        // An annotation may cut the path off, and then the links of Flower lack it.
        let message = "Flower's links stay below \"/\"";
        report.graded(Severity::Warn, Kind::Forbidden, at, message, fix);
    }
}

/// The prefix that a path of an Ingress asks for where Flower has none.
fn own_prefix(path: &str, prefix: &str) -> Option<String> {
    let is_plain = |c: &char| c.is_ascii_alphanumeric() || "/-_".contains(*c);
    let head: String = path.chars().take_while(is_plain).collect();
    let head = head.trim_matches('/');
    (prefix.is_empty() && !head.is_empty())
        .then(|| format!("set flowerSpec.urlPrefix: {head:.40} and leave path out"))
}

/// The API server compares both when the Ingress is created.
fn f65(subject: &Subject<'_>, report: &mut Report<'_>) {
    let Some(flower) = Flower::of(subject) else { return };
    let Some(ingress) = &flower.spec.ingress else { return };
    let (Some(class), Some(annotation)) = (&ingress.class_name, ingress.annotations.get(INGRESS_CLASS))
    else {
        return;
    };
    if class != annotation {
        let message = "differs from the annotation kubernetes.io/ingress.class";
        report.add(Kind::Invalid, format!("{PATH}.ingress.className"), message, "keep one of the two");
    }
}

/// Whether an Ingress path lets a prefix of Flower through: it is the same, or a part of it.
fn covers(path: &str, prefix: &str) -> bool {
    let elements =
        |text: &'_ str| text.split('/').filter(|it| !it.is_empty()).map(str::to_owned).collect::<Vec<_>>();
    elements(prefix).starts_with(&elements(path))
}

fn f36(subject: &Subject<'_>, report: &mut Report<'_>) {
    let Some(spec) = &subject.object.spec.flower_spec else { return };
    let path = format!("{PATH}.loadBalancerSourceRanges");
    if spec.load_balancer_source_ranges.is_empty() {
        return;
    }
    let known = spec.service_type.as_ref().is_none_or(|written| written.known().is_some());
    if known && service_type(spec) != ServiceType::LoadBalancer {
        let message = "applies only to serviceType LoadBalancer";
        return report.add(Kind::Forbidden, path, message, "set that, or remove it");
    }
    for (at, range) in spec.load_balancer_source_ranges.iter().enumerate() {
        if !is_range(range.trim()) {
            let message = "is not a range of addresses";
            report.add(Kind::Invalid, format!("{path}[{at}]"), message, "use one such as 10.0.0.0/8");
        }
    }
}

fn is_range(text: &str) -> bool {
    let Some((address, bits)) = text.split_once('/') else { return false };
    let most = match address.parse() {
        Ok(IpAddr::V4(_)) => 32,
        Ok(IpAddr::V6(_)) => 128,
        Err(_) => return false,
    };
    bits.bytes().all(|byte| byte.is_ascii_digit()) && bits.parse::<u8>().is_ok_and(|bits| bits <= most)
}
