// SPDX-License-Identifier: Apache-2.0
//! Every golden file before the API server: it takes each document as the operator applies it, knows every field of it,
//! and gives it back as it was written.

#[path = "../render/golden.rs"]
mod files;

use celery_operator::build::ChildKind;
use kube_quantity::ParsedQuantity;
use serde_json::{Value, json};

use crate::http::{APPLY, Answer};
use crate::rig::shared;
use crate::space::Space;

/// A dry run of the operator's own request, with an unknown or repeated field being an error.
const STRICTLY: &str = "dryRun=All&fieldManager=celery-operator&fieldValidation=Strict";

fn apply_strictly(space: &Space<'_>, object: &Value) -> Answer {
    let kind = ChildKind::ALL.into_iter().find(|kind| object["kind"] == kind.as_str());
    let resource = kind.unwrap_or_else(|| panic!("{} is no kind of a child", object["kind"])).resource();
    assert_eq!(object["apiVersion"], resource.api_version.as_str());
    let root = if resource.group.is_empty() { "api".to_owned() } else { format!("apis/{}", resource.group) };
    let (version, plural) = (resource.version, resource.plural);
    let name = object["metadata"]["name"].as_str().unwrap();
    let mut object = object.clone();
    object["metadata"]["namespace"] = json!(space.name);
    let path = format!("/{root}/{version}/namespaces/{}/{plural}/{name}?{STRICTLY}", space.name);
    space.rig.send("PATCH", &path, APPLY, Some(&object))
}

#[test]
fn the_api_server_takes_every_document_and_gives_it_back_as_it_is() {
    let space = Space::new(shared(), "golden");
    let (mut documents, mut wrong) = (0, Vec::new());
    for case in files::golden() {
        for child in &case.children {
            documents += 1;
            let place = format!("{}: {} {}", case.name, child["kind"], child["metadata"]["name"]);
            let answer = apply_strictly(&space, child);
            if !answer.is_success() {
                wrong.push(format!("{place} is refused: {}", answer.text));
                continue;
            }
            wrong.extend(answer.warnings.iter().map(|warning| format!("{place}: {warning}")));
            let mut sent = child.clone();
            sent["metadata"]["namespace"] = json!(space.name);
            differences("", &sent, &answer.body(), &mut |what| wrong.push(format!("{place} {what}")));
        }
    }
    println!("{documents} documents of the golden files were applied");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn the_webhooks_only_add_to_the_celery_of_a_case() {
    let space = Space::new(shared(), "golden-input");
    let mut wrong = Vec::new();
    for case in files::golden() {
        let mut celery = case.celery;
        celery["metadata"]["namespace"] = json!(space.name);
        celery["metadata"].as_object_mut().unwrap().remove("uid");
        let answer = space.post("celeries", "?dryRun=All&fieldValidation=Strict", &celery);
        if answer.is_success() {
            differences("", &celery, &answer.body(), &mut |what| wrong.push(format!("{} {what}", case.name)));
        } else {
            wrong.push(format!("{} is refused: {}", case.name, answer.text));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn a_field_that_nobody_knows_is_refused() {
    let space = Space::new(shared(), "strict");
    let cases = files::golden();
    for kind in ["Deployment", "Service", "ScaledObject"] {
        let mut documents = cases.iter().flat_map(|case| &case.children);
        let mut document = documents.find(|document| document["kind"] == kind).unwrap().clone();
        document["spec"]["nobodyKnowsThis"] = json!(1);
        let answer = apply_strictly(&space, &document);
        assert!(!answer.is_success() && answer.text.contains("nobodyKnowsThis"), "{kind}: {}", answer.text);
    }
}

/// Tells where an object that came back is another one than was sent; what the API server adds is its own matter.
fn differences(path: &str, sent: &Value, back: &Value, tell: &mut impl FnMut(String)) {
    match (sent, back) {
        (Value::Object(sent), Value::Object(back)) => {
            for (key, value) in sent {
                let path = format!("{path}/{key}");
                match back.get(key) {
                    Some(back) => differences(&path, value, back, tell),
                    None => tell(format!("lost {path}: {value}")),
                }
            }
        }
        (Value::Array(sent), Value::Array(back)) if sent.len() == back.len() => {
            for (index, (value, back)) in sent.iter().zip(back).enumerate() {
                differences(&format!("{path}/{index}"), value, back, tell);
            }
        }
        _ if sent == back || is_quantity(path) && same_quantity(sent, back) => {}
        _ => tell(format!("changed {path}: {sent} became {back}")),
    }
}

fn is_quantity(path: &str) -> bool {
    let [.., parent, leaf] = path.split('/').collect::<Vec<_>>()[..] else { return false };
    matches!(parent, "requests" | "limits") || matches!(leaf, "sizeLimit" | "averageValue" | "divisor")
}

fn same_quantity(one: &Value, other: &Value) -> bool {
    let parsed = |value: &Value| ParsedQuantity::try_from(value.as_str().unwrap_or_default()).ok();
    parsed(one).is_some_and(|one| parsed(other) == Some(one))
}

#[test]
fn only_quantities_may_come_back_in_other_words() {
    let told = |sent: Value, back: Value| {
        let mut told = Vec::new();
        differences("", &sent, &back, &mut |what| told.push(what));
        told
    };
    let requests = |cpu: &str| json!({"resources": {"requests": {"cpu": cpu}}});
    assert_eq!(told(requests("0.5"), requests("500m")), Vec::<String>::new());
    assert_eq!(told(requests("0.5"), requests("501m")).len(), 1);
    assert_eq!(told(json!({"a": {"cpu": "0.5"}}), json!({"a": {"cpu": "500m"}})).len(), 1);
    assert_eq!(told(json!({"a": 1}), json!({"a": 1, "b": 2})), Vec::<String>::new());
    assert_eq!(told(json!({"a": {"b": 1}}), json!({"a": {}})), ["lost /a/b: 1"]);
    assert_eq!(told(json!([1, 2]), json!([1])), ["changed : [1,2] became [1]"]);
    assert_eq!(told(json!([1, 2]), json!([1, 3])), ["changed /1: 2 became 3"]);
}
