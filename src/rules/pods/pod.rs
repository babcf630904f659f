// SPDX-License-Identifier: Apache-2.0
//! The pod around the containers: what a template says of it, and of its labels.

use serde_json::Value;

use super::containers::{CONTAINER, INIT_CONTAINER};
use super::form::{Form, Item, Must, field};
use super::scheduling::{AFFINITY, SPREAD, TOLERATION};
use super::security;
use super::text::{
    ADDRESS, ANNOTATION_KEY, ANYTHING, LABEL_KEY, LABEL_NAME, LABEL_VALUE, OBJECT_NAME, SEARCH,
};
use super::volumes::VOLUME;
use super::walk::Told;
use crate::rules::breach::Topic;
use crate::rules::finding::Kind;

/// Labels, of pods and of nodes.
pub(super) const LABELS: Must = Must::Map(&LABEL_KEY, &LABEL_VALUE);
/// Annotations.
pub(super) const ANNOTATIONS: Must = Must::Map(&ANNOTATION_KEY, &ANYTHING);
/// Pods of a Deployment start anew for ever.
const NO_DEADLINE: &str = "remove it";

/// The pod that a template describes.
pub(super) static POD: Form = Form::of(&[
    field("containers", Must::List(&CONTAINER)).about(Topic::Containers),
    field("initContainers", Must::List(&INIT_CONTAINER)).about(Topic::Containers),
    field("volumes", Must::List(&VOLUME)).about(Topic::Volumes),
    field("tolerations", Must::List(&TOLERATION)).about(Topic::Tolerations),
    field("affinity", Must::Be(&AFFINITY)).about(Topic::Affinity),
    field("topologySpreadConstraints", Must::List(&SPREAD)).about(Topic::Spread),
    field("nodeSelector", LABELS).about(Topic::Labels),
    field("securityContext", Must::Be(&security::POD)).about(Topic::Security),
    field("dnsConfig", Must::Be(&DNS)).about(Topic::Dns),
    field("serviceAccountName", Must::Read(&OBJECT_NAME)),
    field("priorityClassName", Must::Read(&OBJECT_NAME)),
    field("runtimeClassName", Must::ReadEven(&OBJECT_NAME)),
    field("nodeName", Must::Read(&OBJECT_NAME)),
    field("hostname", Must::Read(&LABEL_NAME)),
    field("subdomain", Must::Read(&LABEL_NAME)),
    field("dnsPolicy", Must::Word(&["ClusterFirst", "ClusterFirstWithHostNet", "Default", "None"])),
    field("preemptionPolicy", Must::Word(&["PreemptLowerPriority", "Never"])),
    field("activeDeadlineSeconds", Must::Gone(NO_DEADLINE)),
    field("ephemeralContainers", Must::Gone("use kubectl debug on a running pod")),
    field("hostAliases", Must::List(&HOST_ALIAS)),
    field("readinessGates", Must::List(&GATE)),
    field("schedulingGates", Must::List(&SCHEDULING_GATE)),
    field("os", Must::Be(&OS)),
    field("overhead", Must::Be(&OVERHEAD)),
])
.whole(pod);

static HOST_ALIAS: Form =
    Form::of(&[field("ip", Must::ReadEven(&ADDRESS)), field("hostnames", Must::Texts(&OBJECT_NAME))]);
static GATE: Form = Form::of(&[field("conditionType", Must::ReadEven(&LABEL_KEY))]);
static SCHEDULING_GATE: Form = Form::of(&[field("name", Must::ReadEven(&LABEL_KEY))]);
static OVERHEAD: Form = Form::of(&[field("cpu", Must::Amount), field("memory", Must::Amount)]);
static OS: Form = Form::of(&[field("name", Must::Word(&["linux", "windows"]))]);

/// Name servers of a pod.
pub(super) static DNS: Form = Form::of(&[
    field("nameservers", Must::Texts(&ADDRESS)),
    field("searches", Must::Texts(&SEARCH)),
    field("options", Must::List(&DNS_OPTION)),
])
.whole(dns);
static DNS_OPTION: Form = Form::of(&[]).needs(&[("name", "name the option, such as ndots")]);

/// A pod template.
pub(super) static TEMPLATE: Form = Form::of(&[
    field("metadata", Must::Be(&TEMPLATE_METADATA)),
    field("spec", Must::Be(&POD)).about(Topic::Names),
]);
static TEMPLATE_METADATA: Form = Form::of(&[
    field("labels", LABELS).about(Topic::Labels),
    field("annotations", ANNOTATIONS).about(Topic::Labels),
]);

fn pod(item: &Item<'_>, told: &mut Told) {
    nameservers(item, told);
    let shares_host = ["hostNetwork", "hostPID", "hostIPC"].into_iter().find(|name| item.is_true(name));
    if let (Some(name), Some(Value::Bool(false))) = (shares_host, item.get("hostUsers")) {
        let message = "the pod has users of its own, since hostUsers is false";
        told.add(Kind::Forbidden, item.at(name), message, "remove one of the two");
    }
    let shares = match item.get("shareProcessNamespace") {
        Some(written) => *written == Value::Bool(true),
        None => item.pod.shares_processes,
    };
    if item.is_true("hostPID") && shares {
        let message = "the containers already see each other's processes";
        told.add(
            Kind::Forbidden,
            item.at("hostPID"),
            message,
            "set shareProcessNamespace: false, or remove it",
        );
    }
}

/// Name servers are there where the pod asks no others.
fn nameservers(item: &Item<'_>, told: &mut Told) {
    let is_filled = |config: Option<&Value>| {
        config.and_then(|config| config["nameservers"].as_array()).is_some_and(|list| !list.is_empty())
    };
    let below = item.below.iter().flatten().any(|layer| is_filled(layer.get("dnsConfig")));
    if item.text("dnsPolicy") == "None" && !is_filled(item.get("dnsConfig")) && !below {
        let message = "the pod would have no name server";
        told.add(Kind::Invalid, item.at("dnsPolicy"), message, "set nameservers in dnsConfig, or remove it");
    }
}

fn dns(item: &Item<'_>, told: &mut Told) {
    for (name, most) in [("nameservers", 3), ("searches", 32)] {
        let count = item.list(name).len();
        if count > most {
            let message = format!("there are {count} of them");
            told.add(Kind::Forbidden, item.at(name), message, format!("use at most {most}"));
        }
    }
}
