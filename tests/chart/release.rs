// SPDX-License-Identifier: Apache-2.0
//! What becomes of a release: installed, upgraded, left by its operator, uninstalled.

use serde_json::Value;
use testbed::{audit, free_port};

use crate::helm::{chart, said};
use crate::rig::{Rig, celery, until};

const NAME: &str = "celery-operator";
const NAMESPACE: &str = "celery-system";

/// One story on one control plane.
#[test]
fn objects_outlive_upgrades_and_nothing_blocks_once_the_operator_has_gone() {
    let rig = Rig::start();
    rig.install_definition();
    rig.namespace(NAMESPACE);
    let port = free_port().unwrap();
    let chart = chart(NAME).display().to_string();
    let set = format!("webhooks.servicePort={port}");
    let release = [NAME, &chart, "--namespace", NAMESPACE, "--set", &set];
    let notes = rig.helmed(&[&["install"], &release[..]].concat());
    assert!(notes.contains("for all namespaces") && !notes.contains("is not defined"), "{notes}");
    rig.until_pods_exist(NAMESPACE, NAME);
    let mut running = rig.run(NAMESPACE, NAME, port);
    rig.until_judged("default");
    rig.applied(&celery("default", "shop", "redis://cache"));
    let before = uids(&rig);
    users_may_what_their_role_says(&rig);
    rig.helmed(&[&["upgrade"], &release[..], &["--set", "replicas=3,log.level=debug"]].concat());
    what_the_operator_wrote_is_kept(&rig);
    assert_eq!(uids(&rig), before);
    // An upgrade makes the Service what the chart says.
    rig.lead_here(NAMESPACE, NAME);
    rig.until_judged("default");
    running.process.terminate().unwrap();
    assert!(running.process.wait(crate::rig::PATIENCE).is_some());
    without_its_operator_a_celery_is_kept_and_can_be_deleted(&rig);
    uninstalled_nothing_blocks(&rig);
    the_definition_stays_and_can_be_taken_up_again(&rig);
}

/// Of the Celery and of what was made for it.
fn uids(rig: &Rig) -> Vec<Value> {
    let uid = |kind: &str, name: &str| {
        until(&format!("{kind} {name} is there"), || {
            let object = rig.json(&["get", kind, name, "--namespace", "default"]);
            let uid = object["metadata"]["uid"].clone();
            if uid.is_string() { Ok(uid) } else { Err(object.to_string()) }
        })
    };
    vec![uid("celery", "shop"), uid("deployment", "shop-worker")]
}

fn users_may_what_their_role_says(rig: &Rig) {
    for (role, verb, may) in [
        ("view", "get", "yes"),
        ("view", "create", "no"),
        ("edit", "create", "yes"),
        ("edit", "delete", "yes"),
        ("admin", "patch", "yes"),
    ] {
        let user = format!("--user={role}");
        let binding = ["create", "rolebinding", role, &format!("--clusterrole={role}"), &user];
        let _ = rig.try_kubectl(&binding);
        let asked = ["auth", "can-i", verb, "celeries", &format!("--as={role}"), "--namespace=default"];
        until(&format!("{role} may {verb}: {may}"), || {
            let said = said(&rig.try_kubectl(&asked));
            if said.lines().any(|line| line == may) { Ok(()) } else { Err(said) }
        });
    }
}

fn what_the_operator_wrote_is_kept(rig: &Rig) {
    for kind in ["mutatingwebhookconfiguration", "validatingwebhookconfiguration"] {
        let name = format!("{NAME}-{}", kind.trim_end_matches("webhookconfiguration"));
        let configuration = rig.json(&["get", kind, &name]);
        let bundle = &configuration["webhooks"][0]["clientConfig"]["caBundle"];
        assert!(bundle.as_str().is_some_and(|bundle| !bundle.is_empty()), "{configuration}");
    }
}

fn without_its_operator_a_celery_is_kept_and_can_be_deleted(rig: &Rig) {
    let refused = said(&rig.apply(&celery("default", "late", "redis://cache")));
    assert!(refused.contains("failed calling webhook"), "{refused}");
    rig.kubectl(&["annotate", "celery/shop", "team=a"]);
    rig.kubectl(&["create", "namespace", "doomed"]);
    rig.kubectl(&["delete", "namespace", "doomed", "--timeout=60s"]);
    rig.kubectl(&["delete", "celery/shop", "--cascade=foreground", "--timeout=60s"]);
}

fn uninstalled_nothing_blocks(rig: &Rig) {
    let log = rig.plane.audit_log().unwrap().to_owned();
    let begin = audit::length(&log).unwrap();
    rig.helmed(&["uninstall", NAME, "--namespace", NAMESPACE]);
    let deleted = until("the deletions are logged", || {
        let events = audit::everybodys(&log, begin).map_err(|error| error.to_string())?;
        let shapes: Vec<String> = events.iter().filter(|it| it.was_done()).map(audit::Event::shape).collect();
        let shapes: Vec<String> = shapes.into_iter().filter(|it| it.starts_with("delete ")).collect();
        if shapes.iter().any(|it| it == "delete networkpolicies") {
            Ok(shapes)
        } else {
            Err(shapes.join(", "))
        }
    });
    let at = |what: &str| deleted.iter().position(|it| it.ends_with(what)).unwrap();
    for configuration in ["mutatingwebhookconfigurations", "validatingwebhookconfigurations"] {
        assert!(at(configuration) < at("services").min(at("deployments")), "{deleted:?}");
    }
    for kind in ["mutatingwebhookconfigurations", "validatingwebhookconfigurations"] {
        let left =
            rig.kubectl(&["get", kind, "--selector=app.kubernetes.io/name=celery-operator", "--output=name"]);
        assert_eq!(left, "");
    }
    until("a Celery can be created", || {
        let output = rig.apply(&celery("default", "after", "redis://cache"));
        if output.status.success() { Ok(()) } else { Err(said(&output)) }
    });
    // What the operator made for itself is all that is left.
    let left = rig.kubectl(&["get", "all,secret,lease,configmap", "--namespace", NAMESPACE, "--output=name"]);
    let mut left: Vec<&str> = left.lines().filter(|it| !it.starts_with("pod/")).collect();
    left.retain(|it| *it != "configmap/kube-root-ca.crt" && !it.starts_with("replicaset"));
    assert_eq!(left, ["secret/celery-operator-webhook-cert", "lease.coordination.k8s.io/celery-operator"]);
}

fn the_definition_stays_and_can_be_taken_up_again(rig: &Rig) {
    let uid = rig.json(&["get", "celery/after"])["metadata"]["uid"].clone();
    let said = rig.helmed(&["uninstall", "celery-operator-crds", "--namespace", "default"]);
    assert!(said.contains("kept due to the resource policy"), "{said}");
    rig.install_definition();
    let after = rig.json(&["get", "celery/after"]);
    assert_eq!((&after["metadata"]["uid"], &after["metadata"]["deletionTimestamp"]), (&uid, &Value::Null));
    rig.kubectl(&["delete", "celery/after", "--timeout=60s"]);
}
