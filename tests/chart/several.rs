// SPDX-License-Identifier: Apache-2.0
//! Several releases in one cluster.

use testbed::free_port;

use crate::helm::{chart, said};
use crate::rig::{Rig, celery, until};

const NAME: &str = "celery-operator";

/// Two teams, each with a release of the same name for the namespace that it is in.
#[test]
fn two_teams_have_an_operator_each_that_may_do_nothing_elsewhere() {
    let rig = Rig::start();
    rig.install_definition();
    let chart = chart(NAME).display().to_string();
    let running = ["red", "blue"].map(|team| {
        rig.namespace(team);
        let port = free_port().unwrap();
        let set = format!("webhooks.servicePort={port},watchNamespaces={{{team}}}");
        rig.helmed(&["install", NAME, &chart, "--namespace", team, "--set", &set]);
        rig.run(team, NAME, port)
    });
    for team in ["red", "blue"] {
        rig.until_judged(team);
        rig.applied(&celery(team, "shop", "redis://cache"));
        until("the Celery is looked after", || {
            let object = rig.json(&["get", "deployment/shop-worker", "--namespace", team]);
            if object.is_null() { Err("there is no Deployment") } else { Ok(()) }.map_err(str::to_owned)
        });
    }
    let may = |team: &str, what: &[&str], namespace: &str| {
        let user = format!("--as=system:serviceaccount:{team}:{NAME}");
        let output =
            rig.try_kubectl(&[&["auth", "can-i"], what, &[&user, "--namespace", namespace]].concat());
        said(&output).lines().any(|line| line == "yes")
    };
    let status = ["patch", "celeries", "--subresource=status"];
    for what in [&["list", "secrets"][..], &["create", "deployments.apps"], &status] {
        assert!(may("red", what, "red"), "{what:?}");
        assert!(!may("red", what, "blue"), "{what:?}");
        assert!(!may("red", what, "default"), "{what:?}");
    }
    assert!(may("red", &["patch", "validatingwebhookconfigurations/celery-operator.red-validating"], ""));
    assert!(!may("red", &["patch", "validatingwebhookconfigurations/celery-operator.blue-validating"], ""));
    // Nobody judges where nobody looks.
    rig.applied(&celery("default", "unjudged", "cache:6379"));
    rig.helmed(&["uninstall", NAME, "--namespace", "red"]);
    let judged = said(&rig.apply(&celery("blue", "bad", "cache:6379")));
    assert!(judged.contains("[B04]"), "{judged}");
    rig.applied(&celery("red", "unjudged", "cache:6379"));
    drop(running);
}

/// Both would write every object: Helm refuses the second, and says over what.
#[test]
fn a_second_release_for_all_namespaces_is_refused() {
    let rig = Rig::start();
    rig.install_definition();
    let chart = chart(NAME).display().to_string();
    rig.helmed(&["install", NAME, &chart, "--namespace", "default"]);
    rig.namespace("other");
    let output = rig.helm(&["install", NAME, &chart, "--namespace", "other"]).output().unwrap();
    assert!(!output.status.success() && said(&output).contains("cannot be imported"), "{}", said(&output));
}
