// SPDX-License-Identifier: Apache-2.0
//! Values of pods on the API server: what it refuses in a child, a rule denies in the Celery, and nothing else.

use celery_operator::api::Celery;
use celery_operator::build::{self, Capabilities};
use celery_operator::defaults::{self, Moment};
use celery_operator::resolve::{self, Sources};
use serde_json::Value;

use crate::http::APPLY;
use crate::rig::bare;
use crate::shop;
use crate::space::{Space, collection};

#[path = "../pods/mod.rs"]
mod cases;

use cases::Verdict;

/// The first refusal of a child of this object, as the operator would apply it.
fn refusal(space: &Space<'_>, object: &Value) -> Option<String> {
    let mut object = object.clone();
    object["metadata"]["namespace"] = Value::String(space.name.clone());
    let object = defaults::defaulted(object.clone(), &defaults::absent(&object, Moment::Creation));
    let celery: Celery = match serde_json::from_value(object) {
        Ok(celery) => celery,
        Err(error) => return Some(format!("not even a Celery: {error}")),
    };
    let resolved = resolve::resolved(&celery, &Sources::default());
    let children = build::children(&resolved, Capabilities::default());
    children.manifests.iter().find_map(|manifest| {
        let plural = manifest.kind.resource().plural;
        let path = format!(
            "{}/{}?dryRun=All&force=true&fieldManager=test",
            collection(&plural, &space.name),
            manifest.name
        );
        let mut body = manifest.body.clone();
        // Nobody has created the owner.
        body["metadata"].as_object_mut().unwrap().remove("ownerReferences");
        let answer = space.rig.send("PATCH", &path, APPLY, Some(&body));
        (!answer.is_success())
            .then(|| format!("{} {}", answer.code, answer.body()["message"].as_str().unwrap_or_default()))
    })
}

#[test]
fn what_the_api_server_refuses_in_a_child_is_denied_in_the_celery_and_nothing_else() {
    let space = Space::new(bare(), "pods");
    let mut wrong = Vec::new();
    let cases = cases::cases();
    for case in &cases {
        let object = shop::with(&case.overlay);
        let refusal = refusal(&space, &object);
        if refusal.is_some() != [Verdict::Refused, Verdict::Unseen].contains(&case.verdict) {
            wrong.push(format!("{}: {}", case.overlay, refusal.as_deref().unwrap_or("taken")));
        }
    }
    println!("{} values", cases.len());
    assert!(wrong.is_empty(), "{} of {}\n{}", wrong.len(), cases.len(), wrong.join("\n"));
}
