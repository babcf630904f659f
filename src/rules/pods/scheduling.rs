// SPDX-License-Identifier: Apache-2.0
//! Where pods run: taints, nodes, neighbours, and how pods spread.

use serde_json::Value;

use super::form::{Form, Item, Must, field};
use super::text::{LABEL_KEY, LABEL_NAME, LABEL_VALUE};
use super::walk::Told;
use crate::api::{is_object_name, limits};
use crate::rules::finding::Kind;

const REQUIRED: &str = "requiredDuringSchedulingIgnoredDuringExecution";
const PREFERRED: &str = "preferredDuringSchedulingIgnoredDuringExecution";
/// What is missing when an expression has no operator.
const OPERATOR: (&str, &str) = ("operator", "use one such as In or Exists");
const KEY: (&str, &str) = ("key", "name a label");

/// How a toleration looks at a taint. Operators that compare numbers are taken where the cluster has them switched on.
const OPERATORS: &[&str] = &["Equal", "Exists", "Lt", "Gt"];
const EFFECTS: &[&str] = &["NoSchedule", "PreferNoSchedule", "NoExecute"];

/// A taint that pods put up with.
pub(super) static TOLERATION: Form = Form::of(&[
    field("key", Must::Read(&LABEL_KEY)),
    field("operator", Must::Word(OPERATORS)),
    field("effect", Must::Word(EFFECTS)),
])
.whole(toleration);

/// Nodes and neighbours.
pub(super) static AFFINITY: Form = Form::of(&[
    field("nodeAffinity", Must::Be(&NODE_AFFINITY)),
    field("podAffinity", Must::Be(&POD_AFFINITY)),
    field("podAntiAffinity", Must::Be(&POD_AFFINITY)),
]);

static NODE_AFFINITY: Form =
    Form::of(&[field(REQUIRED, Must::Be(&NODE_SELECTOR)), field(PREFERRED, Must::List(&PREFERRED_NODES))]);

static NODE_SELECTOR: Form = Form::of(&[field("nodeSelectorTerms", Must::List(&NODE_TERM))])
    .needs(&[("nodeSelectorTerms", "add a term, or remove the selector")]);

static NODE_TERM: Form = Form::of(&[
    field("matchExpressions", Must::List(&NODE_EXPRESSION)),
    field("matchFields", Must::List(&NODE_FIELD)),
]);

static PREFERRED_NODES: Form =
    Form::of(&[field("weight", Must::Between(1, 100)), field("preference", Must::Be(&NODE_TERM))])
        .needs(&[("weight", "use 1 to 100")]);

static NODE_EXPRESSION: Form = Form::of(&[
    field("key", Must::Read(&LABEL_KEY)),
    field("operator", Must::Word(&["In", "NotIn", "Exists", "DoesNotExist", "Gt", "Lt"])),
    field("values", Must::Texts(&LABEL_VALUE)),
])
.needs(&[KEY, OPERATOR])
.whole(values);

static NODE_FIELD: Form = Form::of(&[
    field("key", Must::Word(&["metadata.name"])),
    field("operator", Must::Word(&["In", "NotIn"])),
])
.needs(&[("key", "use metadata.name"), ("operator", "use In or NotIn")])
.whole(one_node);

static POD_AFFINITY: Form =
    Form::of(&[field(REQUIRED, Must::List(&NEIGHBOUR)), field(PREFERRED, Must::List(&PREFERRED_NEIGHBOUR))]);

static PREFERRED_NEIGHBOUR: Form =
    Form::of(&[field("weight", Must::Between(1, 100)), field("podAffinityTerm", Must::Be(&NEIGHBOUR))])
        .needs(&[("weight", "use 1 to 100"), ("podAffinityTerm", "describe the neighbour")]);

static NEIGHBOUR: Form = Form::of(&[
    field("topologyKey", Must::Read(&LABEL_KEY)),
    field("labelSelector", Must::Be(&LABEL_SELECTOR)),
    field("namespaceSelector", Must::Be(&LABEL_SELECTOR)),
    field("namespaces", Must::Texts(&LABEL_NAME)),
    field("matchLabelKeys", Must::Texts(&LABEL_KEY)),
    field("mismatchLabelKeys", Must::Texts(&LABEL_KEY)),
])
.needs(&[("topologyKey", "name a label of nodes, such as kubernetes.io/hostname")])
.whole(neighbour);

static LABEL_SELECTOR: Form = Form::of(&[
    field("matchLabels", Must::Map(&LABEL_KEY, &LABEL_VALUE)),
    field("matchExpressions", Must::List(&LABEL_EXPRESSION)),
]);

static LABEL_EXPRESSION: Form = Form::of(&[
    field("key", Must::Read(&LABEL_KEY)),
    field("operator", Must::Word(&["In", "NotIn", "Exists", "DoesNotExist"])),
    field("values", Must::Texts(&LABEL_VALUE)),
])
.needs(&[KEY, OPERATOR])
.whole(values);

/// How pods spread over nodes and zones.
pub(super) static SPREAD: Form = Form::of(&[
    field("maxSkew", Must::Between(1, i64::MAX)),
    field("minDomains", Must::Between(1, i64::MAX)),
    field("whenUnsatisfiable", Must::Word(&["DoNotSchedule", "ScheduleAnyway"])),
    field("nodeAffinityPolicy", Must::Word(&["Honor", "Ignore"])),
    field("nodeTaintsPolicy", Must::Word(&["Honor", "Ignore"])),
    field("labelSelector", Must::Be(&LABEL_SELECTOR)),
    field("matchLabelKeys", Must::Texts(&LABEL_KEY)),
])
.needs(&[
    ("maxSkew", "use 1 or more"),
    ("topologyKey", "name a label of nodes, such as kubernetes.io/hostname"),
    ("whenUnsatisfiable", "use DoNotSchedule or ScheduleAnyway"),
])
.whole(spread);

fn toleration(item: &Item<'_>, told: &mut Told) {
    let operator = item.text("operator");
    let exists = operator == "Exists";
    // What goes with a word that there is not, nobody can say.
    let is_read = operator.is_empty() || OPERATORS.contains(&operator);
    let effect = item.text("effect");
    let is_effect = effect.is_empty() || EFFECTS.contains(&effect);
    if item.text("key").is_empty() && !exists && is_read {
        let fix = "name the taint, or use the operator Exists for all of them";
        told.add(Kind::Required, item.at("key"), "is not set", fix);
    }
    let value = item.text("value");
    if exists && !value.is_empty() {
        let message = "Exists looks at no value";
        told.add(Kind::Forbidden, item.at("value"), message, "remove it, or use the operator Equal");
    } else if !(LABEL_VALUE.reads)(value) {
        told.add(Kind::Invalid, item.at("value"), LABEL_VALUE.not, LABEL_VALUE.fix);
    }
    if item.get("tolerationSeconds").is_some() && effect != "NoExecute" && is_effect {
        let message = "only NoExecute takes pods away later";
        told.add(
            Kind::Forbidden,
            item.at("tolerationSeconds"),
            message,
            "remove it, or use the effect NoExecute",
        );
    }
}

/// Whether an expression has as many values as its operator looks at.
fn values(item: &Item<'_>, told: &mut Told) {
    let count = item.list("values").len();
    let (fits, message, fix) = match item.text("operator") {
        "In" | "NotIn" => (count > 0, "the operator looks for a value, and there is none", "add values"),
        "Exists" | "DoesNotExist" => (count == 0, "the operator looks at no value", "remove them"),
        "Gt" | "Lt" => (count == 1, "the operator compares with one number", "let there be one"),
        _ => return,
    };
    if !fits {
        let kind = if count == 0 { Kind::Required } else { Kind::Forbidden };
        told.add(kind, item.at("values"), message, fix);
    }
}

fn one_node(item: &Item<'_>, told: &mut Told) {
    let values = item.list("values");
    // Of another operator is told already.
    if !["In", "NotIn"].contains(&item.text("operator")) {
        return;
    }
    if values.len() != 1 {
        told.add(Kind::Forbidden, item.at("values"), "a field is compared with one value", "name one node");
    }
    for (index, value) in values.iter().enumerate().take(limits::ITEMS) {
        if value.as_str().is_some_and(|name| !is_object_name(name)) {
            let path = format!("{}[{index}]", item.at("values"));
            told.add(Kind::Invalid, path, "is not a name of a node", "name one node");
        }
    }
}

fn neighbour(item: &Item<'_>, told: &mut Told) {
    let selects = item.get("labelSelector").is_some();
    for name in ["matchLabelKeys", "mismatchLabelKeys"] {
        if !item.list(name).is_empty() && !selects {
            told.add(Kind::Forbidden, item.at(name), "has no effect without labelSelector", "set that too");
        }
    }
    let others = item.list("mismatchLabelKeys");
    let others = others.get(..limits::ITEMS).unwrap_or(others);
    for (index, key) in item.list("matchLabelKeys").iter().enumerate().take(limits::ITEMS) {
        if others.contains(key) {
            let path = format!("{}[{index}]", item.at("matchLabelKeys"));
            told.add(Kind::Duplicate, path, "is among mismatchLabelKeys too", "remove one of the two");
        }
    }
}

fn spread(item: &Item<'_>, told: &mut Told) {
    if item.get("minDomains").is_some() && item.text("whenUnsatisfiable") == "ScheduleAnyway" {
        let message = "only DoNotSchedule counts domains";
        told.add(Kind::Forbidden, item.at("minDomains"), message, "remove it, or use DoNotSchedule");
    }
    if !item.list("matchLabelKeys").is_empty() && item.lacks("labelSelector") {
        told.add(
            Kind::Forbidden,
            item.at("matchLabelKeys"),
            "has no effect without labelSelector",
            "set that too",
        );
    }
}

/// Constraints about the same topology that say the same twice.
pub(super) fn spread_twice(constraints: &[Value], path: &str, told: &mut Told) {
    let key =
        |constraint: &Value| (constraint["topologyKey"].clone(), constraint["whenUnsatisfiable"].clone());
    for (index, constraint) in constraints.iter().enumerate().take(limits::ITEMS) {
        if constraints[..index].iter().any(|earlier| key(earlier) == key(constraint)) {
            let path = format!("{path}[{index}].topologyKey");
            let message = "another constraint is about this and the same whenUnsatisfiable";
            told.add(Kind::Duplicate, path, message, "remove one of the two");
        }
    }
}
