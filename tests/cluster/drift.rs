// SPDX-License-Identifier: Apache-2.0
//! What somebody deletes or edits comes back; what somebody adds stays.

use serde_json::{Value, json};

use crate::audit;
use crate::rig::shared;
use crate::shop;
use crate::space::Space;
use crate::wait::until;

/// A Celery with a child of every kind: KEDA scales the workers, a `HorizontalPodAutoscaler` scales Flower.
fn with_every_child(space: &Space<'_>) -> [(&'static str, &'static str); 9] {
    let secret = json!({"metadata": {"name": "broker"}, "stringData": {"url": "redis://:hush@cache:6379/2"}});
    space.create("secrets", &secret);
    let scalers = "[{kind: worker, maxReplicas: 5, metrics: [{name: task_queue_length, target: {type: AverageValue, averageValue: 10}}]}, \
                   {kind: flower, maxReplicas: 2, metrics: [{name: cpu, target: {type: Utilization, averageUtilization: 80}}]}]";
    space.create(
        "celeries",
        &shop::with(&format!(
            "spec: {{common: {{broker: {{url: null, urlSecretRef: {{name: broker, key: url}}}}}}, flowerSpec: {{ingress: {{}}, auth: {{basic: {{secretRef: {{name: flower, key: users}}}}}}}}, scaleTargetRef: {scalers}}}"
        )),
    );
    let children = [
        ("secrets", "shop-celery-keda"),
        ("deployments", "shop-worker"),
        ("deployments", "shop-flower"),
        ("services", "shop-flower"),
        ("horizontalpodautoscalers", "shop-flower"),
        ("triggerauthentications", "shop-worker"),
        ("scaledobjects", "shop-worker"),
        ("poddisruptionbudgets", "shop-worker"),
        ("ingresses", "shop-flower"),
    ];
    for (plural, name) in children {
        space.until_there(plural, name);
    }
    children
}

#[test]
fn a_deleted_child_comes_back() {
    let space = Space::new(shared(), "deleted");
    let children = with_every_child(&space);
    for (plural, name) in children {
        let before = space.get(plural, name).unwrap();
        space.delete(plural, name).success();
        let after =
            space.until(plural, name, |object| object["metadata"]["uid"] != before["metadata"]["uid"]);
        let essence = |object: &Value| {
            (
                object["metadata"]["labels"].clone(),
                object["metadata"]["annotations"]["celeryproject.org/rendered-hash"].clone(),
            )
        };
        assert_eq!(essence(&after), essence(&before), "{plural}/{name}");
    }
    assert_eq!(space.children("shop").len(), children.len());
}

/// An edit of a child, and where it can be seen.
const EDITS: &[(&str, &str, &str, &str)] = &[
    (
        "deployments",
        "shop-worker",
        "{containers: [{name: celery, image: 'evil:1'}]}",
        "/spec/template/spec/containers/0/image",
    ),
    (
        "deployments",
        "shop-worker",
        "{containers: [{name: celery, args: [beat]}]}",
        "/spec/template/spec/containers/0/args",
    ),
    (
        "deployments",
        "shop-worker",
        "{terminationGracePeriodSeconds: 1}",
        "/spec/template/spec/terminationGracePeriodSeconds",
    ),
    (
        "deployments",
        "shop-flower",
        "{containers: [{name: flower, livenessProbe: null}]}",
        "/spec/template/spec/containers/0/livenessProbe",
    ),
];

/// The same for kinds whose edit is the whole patch.
const PLAIN_EDITS: &[(&str, &str, &str, &str)] = &[
    ("secrets", "shop-celery-keda", "{data: {password: ZXZpbA==}}", "/data/password"),
    (
        "services",
        "shop-flower",
        "{spec: {ports: [{name: http, port: 99, targetPort: 99}]}}",
        "/spec/ports/0/port",
    ),
    ("services", "shop-flower", "{spec: {type: NodePort}}", "/spec/type"),
    (
        "services",
        "shop-flower",
        "{metadata: {labels: {app.kubernetes.io/part-of: evil}}}",
        "/metadata/labels/app.kubernetes.io~1part-of",
    ),
    ("poddisruptionbudgets", "shop-worker", "{spec: {maxUnavailable: 9}}", "/spec/maxUnavailable"),
    (
        "poddisruptionbudgets",
        "shop-worker",
        "{spec: {maxUnavailable: null, minAvailable: 1}}",
        "/spec/maxUnavailable",
    ),
    ("ingresses", "shop-flower", "{spec: {rules: [{host: evil.example.com}]}}", "/spec/rules"),
    ("horizontalpodautoscalers", "shop-flower", "{spec: {maxReplicas: 50}}", "/spec/maxReplicas"),
    ("triggerauthentications", "shop-worker", "{spec: {secretTargetRef: []}}", "/spec/secretTargetRef"),
    ("scaledobjects", "shop-worker", "{spec: {maxReplicaCount: 50}}", "/spec/maxReplicaCount"),
    ("scaledobjects", "shop-worker", "{spec: {triggers: [{type: cron, metadata: {}}]}}", "/spec/triggers"),
];

#[test]
fn an_edited_child_is_set_right() {
    let space = Space::new(shared(), "edited");
    with_every_child(&space);
    let repaired = |plural: &str, name: &str, pointer: &str, kind: &str, patch: &str| {
        let before = space.get(plural, name).unwrap();
        let wanted = before.pointer(pointer).cloned();
        assert!(wanted.is_some(), "{plural}/{name} {pointer}");
        let patched: Value =
            serde_json::from_str(&space.succeed(&["patch", plural, name, kind, "-o=json", "-p", patch], ""))
                .unwrap();
        assert_ne!(patched.pointer(pointer).cloned(), wanted, "the edit {patch} did nothing");
        space.until(plural, name, |object| object.pointer(pointer).cloned() == wanted);
    };
    for (plural, name, pod, pointer) in EDITS {
        let patch = json!({"spec": {"template": {"spec": shop::yaml(pod)}}}).to_string();
        repaired(plural, name, pointer, "--type=strategic", &patch);
    }
    for (plural, name, patch, pointer) in PLAIN_EDITS {
        repaired(plural, name, pointer, "--type=merge", &shop::yaml(patch).to_string());
    }
}

#[test]
fn replicas_that_somebody_edits_come_back_unless_they_belong_to_an_autoscaler() {
    let space = Space::new(shared(), "replicas");
    space.create("celeries", &shop::with("spec: {workerSpec: {numOfWorkers: 2}, flowerSpec: {}}"));
    for (name, wanted) in [("shop-worker", 2), ("shop-flower", 1)] {
        space.until("deployments", name, |object| object["spec"]["replicas"] == wanted);
        let printed = space.succeed(&["scale", "--replicas=7", &format!("deployment/{name}")], "");
        assert!(printed.contains("scaled"), "{printed}");
        space.until("deployments", name, |object| object["spec"]["replicas"] == wanted);
    }
}

#[test]
fn what_somebody_else_adds_stays() {
    let space = Space::new(shared(), "added");
    space.create("celeries", &shop::with("spec: {flowerSpec: {}}"));
    space.until_there("deployments", "shop-worker");
    space.until_there("services", "shop-flower");
    let added =
        "{metadata: {annotations: {team: a}, labels: {team: a}}, spec: {progressDeadlineSeconds: 123}}";
    space.edit("deployments", "shop-worker", added);
    space.edit(
        "services",
        "shop-flower",
        "{metadata: {annotations: {team: a}}, spec: {sessionAffinity: ClientIP}}",
    );
    // A change of ours goes over both objects; the additions are still there.
    space.edit("celeries", "shop", "spec: {common: {image: 'shop:2'}, flowerSpec: {servicePort: 8080}}");
    let deployment = space.until("deployments", "shop-worker", |it| {
        it["spec"]["template"]["spec"]["containers"][0]["image"] == "shop:2"
    });
    assert_eq!(deployment["metadata"]["annotations"]["team"], "a");
    assert_eq!(deployment["metadata"]["labels"]["team"], "a");
    assert_eq!(deployment["spec"]["progressDeadlineSeconds"], 123);
    let service = space.until("services", "shop-flower", |it| it["spec"]["ports"][0]["port"] == 8080);
    assert_eq!(service["spec"]["ports"].as_array().unwrap().len(), 1);
    assert_eq!(service["metadata"]["annotations"]["team"], "a");
    assert_eq!(service["spec"]["sessionAffinity"], "ClientIP");
}

/// Nothing of it contradicts ours: server-side apply would take it over without a conflict.
#[test]
fn a_foreign_object_that_contradicts_nothing_is_not_taken_either() {
    let rig = shared();
    let space = Space::new(rig, "blank");
    let blank =
        shop::yaml("{apiVersion: policy/v1, kind: PodDisruptionBudget, metadata: {name: shop-worker}}");
    space.create("poddisruptionbudgets", &blank);
    let begin = audit::length(rig);
    space.create("celeries", &shop::with("spec: {workerSpec: {numOfWorkers: 2}}"));
    space.until_condition("shop", "Stalled", "True", "NameTaken");
    space.until_there("deployments", "shop-worker");
    let after = space.get("poddisruptionbudgets", "shop-worker").unwrap();
    assert!(after["metadata"].get("ownerReferences").is_none(), "{after}");
    assert!(!after["metadata"]["managedFields"].to_string().contains("celery-operator"), "{after}");
    // Later attempts ask first: what stands in the way is not written to time and again.
    space.edit("celeries", "shop", "spec: {workerSpec: {numOfWorkers: 3}}");
    until("it was tried again", || {
        let reads = audit::reads_in(rig, begin, &space.name);
        if reads.len() > 1 { Ok(()) } else { Err(reads.join("\n")) }
    });
    space.until("deployments", "shop-worker", |it| it["spec"]["replicas"] == 3);
    let mut writes = audit::writes_in(rig, begin, &space.name);
    writes.retain(|write| write.contains("poddisruptionbudgets"));
    assert_eq!(writes, [format!("patch poddisruptionbudgets {}/shop-worker 409", space.name)]);
    space.delete("poddisruptionbudgets", "shop-worker").success();
    space.until("poddisruptionbudgets", "shop-worker", |it| {
        it["metadata"]["ownerReferences"][0]["kind"] == "Celery"
    });
}

#[test]
fn a_foreign_object_of_a_childs_name_is_never_taken() {
    let space = Space::new(shared(), "foreign");
    let foreign = shop::yaml(
        "{apiVersion: apps/v1, kind: Deployment, metadata: {name: shop-worker, labels: {app.kubernetes.io/managed-by: celery-operator}}, \
          spec: {replicas: 0, selector: {matchLabels: {a: b}}, template: {metadata: {labels: {a: b}}, spec: {containers: [{name: x, image: x}]}}}}",
    );
    let other = shop::yaml("{metadata: {name: shop-flower}, spec: {ports: [{port: 80}], selector: {a: b}}}");
    space.create("deployments", &foreign);
    let other = space.create("services", &other);
    let before = space.until("deployments", "shop-worker", |it| it["status"]["observedGeneration"] == 1);
    space.create("celeries", &shop::with("spec: {flowerSpec: {}}"));
    let celery = space.until_condition("shop", "Stalled", "True", "NameTaken");
    let ready = crate::space::condition(&celery, "Ready");
    assert_eq!((&ready["status"], &ready["reason"]), (&json!("False"), &json!("NameTaken")));
    assert!(
        ready["message"].as_str().unwrap().contains("Deployment shop-worker exists and does not belong"),
        "{ready}"
    );
    // A child that fails does not keep the others waiting.
    space.until_there("deployments", "shop-flower");
    let after = space.get("deployments", "shop-worker").unwrap();
    assert_eq!(after["spec"], before["spec"]);
    assert_eq!(after["metadata"]["labels"], before["metadata"]["labels"]);
    assert!(after["metadata"].get("ownerReferences").is_none());
    assert!(!after["metadata"]["managedFields"].to_string().contains("celery-operator"));
    space.delete("deployments", "shop-worker").success();
    space.until("deployments", "shop-worker", |it| it["metadata"]["ownerReferences"][0]["kind"] == "Celery");
    assert_eq!(space.get("services", "shop-flower").unwrap(), other);
    space.delete("services", "shop-flower").success();
    space.until("services", "shop-flower", |it| it["metadata"]["ownerReferences"][0]["kind"] == "Celery");
    space.until_condition("shop", "Stalled", "False", "Settled");
}

#[test]
fn a_repair_that_server_side_apply_cannot_make_leaves_no_owner_behind() {
    let space = Space::new(shared(), "repair");
    space.create("celeries", &shop::with("spec: {flowerSpec: {}}"));
    space.until_there("services", "shop-flower");
    // The port is the key of its entry: ours would come to stand beside the edited one, under the same name.
    space.edit("services", "shop-flower", "{spec: {ports: [{name: http, port: 99, targetPort: 99}]}}");
    // A repair takes several requests: in between, the port is right and its owner is not.
    let port = |wanted: u16| {
        space.until("services", "shop-flower", |it| {
            it["spec"]["ports"].as_array().unwrap().len() == 1
                && it["spec"]["ports"][0]["port"] == wanted
                && !it["metadata"]["managedFields"].to_string().contains("celery-operator-repair")
        })
    };
    port(5555);
    // So that what we leave out later really goes.
    space.edit("celeries", "shop", "spec: {flowerSpec: {servicePort: 8080}}");
    port(8080);
}

#[test]
fn a_child_whose_field_owners_were_wiped_still_follows_its_spec() {
    let space = Space::new(shared(), "wiped");
    space.create("celeries", &shop::plain());
    space.until_there("deployments", "shop-worker");
    space.merge("deployments", "shop-worker", &json!({"metadata": {"managedFields": [{}]}})).success();
    let manager = |object: &Value, name: &str| object["metadata"]["managedFields"].to_string().contains(name);
    space.until("deployments", "shop-worker", |it| {
        manager(it, "\"celery-operator\"") && !manager(it, "before-first-apply")
    });
    space.edit("celeries", "shop", "spec: {workerSpec: {rolloutStrategy: {type: Recreate}}}");
    space.until("deployments", "shop-worker", |it| it["spec"]["strategy"] == json!({"type": "Recreate"}));
}

#[test]
fn a_strategy_that_somebody_else_holds_a_part_of_can_still_be_changed() {
    let space = Space::new(shared(), "shared-strategy");
    space.create("celeries", &shop::plain());
    let live = space.until_there("deployments", "shop-worker");
    let same = json!({
        "apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "shop-worker"},
        "spec": {"strategy": live["spec"]["strategy"]},
    });
    space.apply_as("somebody", "deployments", &same).success();
    space.edit("celeries", "shop", "spec: {workerSpec: {rolloutStrategy: {type: Recreate}}}");
    space.until("deployments", "shop-worker", |it| it["spec"]["strategy"] == json!({"type": "Recreate"}));
}

#[test]
fn a_renamed_container_does_not_become_a_second_worker() {
    let space = Space::new(shared(), "renamed");
    space.create("celeries", &shop::plain());
    let live = space.until_there("deployments", "shop-worker");
    let mut containers = live["spec"]["template"]["spec"]["containers"].clone();
    containers[0]["name"] = json!("evil");
    let renamed = json!({"spec": {"template": {"spec": {"containers": containers}}}});
    space.merge("deployments", "shop-worker", &renamed).success();
    space.until("deployments", "shop-worker", |it| {
        let containers = it["spec"]["template"]["spec"]["containers"].as_array().unwrap();
        containers.len() == 1
            && containers[0]["name"] == "celery"
            && it["metadata"]["generation"] != live["metadata"]["generation"]
    });
}
