// SPDX-License-Identifier: Apache-2.0
//! Every rule of the catalogue on the API server: with the webhooks, and with the schema and CEL alone.

use std::collections::BTreeSet;

use celery_operator::rules::{Rule, Severity, catalogue, example};
use serde_json::{Value, json};

use crate::http::Answer;
use crate::rig::{bare, shared};
use crate::shop;
use crate::space::Space;

/// Creates an example, lays it over what stood there before, or scales it. Nothing of it is left afterwards.
fn written(space: &Space<'_>, rule: &Rule, example: &str) -> Answer {
    let new = shop::with(example);
    let answer = if rule.is_about_scaling() {
        scaled(space, &new)
    } else if let Some(old) = rule.example.old {
        // Applied, since a replacement would meet the operator's own write of the status in between.
        space.apply_as("test", "celeries", &shop::with(old)).success();
        space.apply_as("test", "celeries", &new)
    } else {
        space.post("celeries", "", &new)
    };
    remove(space, &new);
    answer
}

/// The Celery objects that rules about several of them look at, once the operator has seen them.
fn neighbours(space: &Space<'_>) {
    for (name, prefix) in example::NEIGHBOURS {
        let overlay = format!("spec: {{common: {{appName: {prefix}}}}}");
        space.create("celeries", &shop::named(name, &overlay));
        space.until("celeries", name, |celery| !celery["status"]["conditions"].is_null());
    }
}

/// Creates the object and scales it, once the operator has seen it.
fn scaled(space: &Space<'_>, new: &Value) -> Answer {
    space.create("celeries", new);
    if space.rig.operator().is_some() {
        space.until("celeries", "shop", |celery| !celery["status"]["conditions"].is_null());
    }
    space.merge("celeries", "shop/scale", &json!({"spec": {"replicas": 2}}))
}

fn remove(space: &Space<'_>, object: &Value) {
    let name = object["metadata"]["name"].as_str().unwrap();
    let answer = space.delete("celeries", name);
    assert!(answer.is_success() || answer.code == 404, "{}", answer.text);
}

/// Ids at the end of causes or warnings.
fn ids(texts: impl IntoIterator<Item = String>) -> BTreeSet<String> {
    let id = |text: String| Some(text.rsplit_once(" [")?.1.strip_suffix(']')?.to_owned());
    texts.into_iter().filter_map(id).collect()
}

#[test]
fn with_the_webhooks_every_bad_example_is_named_by_its_rule_and_every_good_one_is_stored() {
    let space = Space::new(shared(), "rules");
    neighbours(&space);
    let mut wrong = Vec::new();
    for rule in catalogue::rules() {
        let (id, at) = (rule.id, rule.example.at);
        // What is known beside the object makes no mistake of these examples here.
        if rule.is_about_facts() {
            continue;
        }
        let bad = written(&space, rule, rule.example.bad);
        match rule.severity {
            Severity::Deny if bad.is_success() => wrong.push(format!("{id}: the bad example is stored")),
            Severity::Deny => {
                let causes = bad.causes();
                let fields: Vec<&String> = causes.iter().map(|(field, _)| field).collect();
                let named = ids(causes.iter().map(|(_, message)| message.clone()));
                if bad.code != 422 || fields != [at] || named != BTreeSet::from([id.to_owned()]) {
                    wrong.push(format!("{id} at {at}: {} {causes:?}", bad.code));
                }
            }
            Severity::Warn => {
                let named = bad.warnings.iter().any(|text| text.starts_with(&format!("{at}: ")));
                if !bad.is_success() || !named || ids(bad.warnings.clone()) != BTreeSet::from([id.to_owned()])
                {
                    wrong.push(format!("{id} at {at}: {} {:?}", bad.code, bad.warnings));
                }
            }
        }
        let good = written(&space, rule, rule.example.good);
        if !good.is_success() || !good.warnings.is_empty() {
            wrong.push(format!("{id}: the good example: {} {:?} {}", good.code, good.warnings, good.text));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn without_the_webhooks_schema_and_cel_refuse_exactly_what_is_marked_so() {
    let space = Space::new(bare(), "rules");
    let mut wrong = Vec::new();
    for rule in catalogue::rules() {
        let bad = written(&space, rule, rule.example.bad);
        if bad.is_success() == rule.schema {
            wrong.push(format!(
                "{}: schema is {}, the answer {} {}",
                rule.id, rule.schema, bad.code, bad.text
            ));
        }
        let good = written(&space, rule, rule.example.good);
        if !good.is_success() {
            wrong.push(format!("{}: the good example: {}", rule.id, good.text));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn without_the_webhooks_duplicates_and_a_removed_app_name_are_refused_too() {
    let space = Space::new(bare(), "last-line");
    let metric = "{name: cpu, target: {type: Utilization, averageUtilization: 80}}";
    let target = |pool: &str| format!("{{kind: worker, {pool}maxReplicas: 3, metrics: [{metric}]}}");
    let twice = format!("spec: {{scaleTargetRef: [{}, {}]}}", target(""), target("pool: default, "));
    let answer = space.post("celeries", "", &shop::with(&twice));
    assert_eq!(answer.causes()[0].0, "spec.scaleTargetRef[1]", "{}", answer.text);
    space.create("celeries", &shop::with("spec: {common: {appName: mall}}"));
    let answer = space.merge("celeries", "shop", &json!({"spec": {"common": {"appName": null}}}));
    assert_eq!(answer.code, 422, "{}", answer.text);
    assert_eq!(answer.causes()[0].0, "spec.common.appName");
}

#[test]
fn without_the_webhooks_named_pools_are_held_to_the_same_bounds() {
    let space = Space::new(bare(), "last-line-of-pools");
    for (pool, field) in [
        ("name: a234567890123456789012345678901234567890123456789012", "spec.workerPools"),
        (
            "name: a, gracefulShutdown: {mode: Soft, softTimeoutSeconds: 596}",
            "spec.workerPools[0].gracefulShutdown.softTimeoutSeconds",
        ),
        ("name: a, podDisruptionBudget: {}", "spec.workerPools[0].podDisruptionBudget"),
        ("name: a, maxTasksPerChild: 0", "spec.workerPools[0].maxTasksPerChild"),
        ("name: a, probes: {startup: {type: ping}}", "spec.workerPools[0].probes.startup.type"),
    ] {
        let answer = space.post("celeries", "", &shop::with(&format!("spec: {{workerPools: [{{{pool}}}]}}")));
        assert_eq!(answer.code, 422, "{pool}: {}", answer.text);
        assert_eq!(answer.causes()[0].0, field, "{}", answer.text);
    }
    let fits = "spec: {workerPools: [{name: a23456789012345678901234567890123456789012345678901, \
                gracefulShutdown: {mode: Soft, softTimeoutSeconds: 595}}]}";
    space.create("celeries", &shop::with(fits));
}

#[test]
fn without_the_webhooks_a_setting_that_is_null_is_not_stored() {
    let space = Space::new(bare(), "nulls");
    let rule = catalogue::entries().find(|rule| rule.id == "C80").unwrap();
    let bad = shop::with(rule.example.bad);
    assert!(bad["spec"]["common"]["config"]["result_expires"].is_null());
    space.create("celeries", &bad);
    let stored = space.get("celeries", "shop").unwrap();
    assert_eq!(stored["spec"]["common"]["config"], json!({}));
}
