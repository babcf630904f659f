// SPDX-License-Identifier: Apache-2.0
//! The operator as a process: killed, started again, asked to end.

use std::time::Duration;

use crate::audit;
use crate::rig::{Rig, Setup};
use crate::shop;
use crate::space::Space;
use crate::wait::until;

/// Longer than any machine takes to see that requests are answered meanwhile; a second signal cuts it short.
const DRAIN: &str = "--drain-seconds=600";

/// One story on one rig, since it takes the operator away from everybody.
#[test]
fn a_killed_operator_goes_on_where_it_was_and_an_asked_one_ends_well() {
    let rig = Rig::start(Setup { keda: false, arguments: &[DRAIN], ..Setup::default() });
    let space = Space::new(&rig, "killed");
    for name in ["still", "changed", "damaged", "new"] {
        space.create("celeries", &shop::named(name, "spec: {flowerSpec: {}}"));
    }
    for name in ["still", "changed", "damaged", "new"] {
        space.until_there("services", &format!("{name}-flower"));
        space.until("deployments", &format!("{name}-worker"), |it| it["status"]["replicas"] == 1);
        space.until("deployments", &format!("{name}-flower"), |it| it["status"]["replicas"] == 1);
        space.until_ready(name);
    }
    space.delete("celeries", "new").success();
    let pid = rig.operator_pid();
    kill(&rig);
    while_nobody_looks(&space);
    let begin = audit::length(&rig);
    rig.start_operator();
    assert_ne!(rig.operator_pid(), pid);
    what_was_missed_is_done(&space);
    only_what_was_needed_was_written(&rig, &space, begin);
    a_missing_configuration_leaves_it_ready(&rig);
    serves_on_and_ends_well(&rig, &space);
}

fn kill(rig: &Rig) {
    let mut operator = rig.operator();
    let mut process = operator.take().unwrap();
    process.kill().unwrap();
    assert!(process.wait(Duration::from_secs(10)).is_some());
}

/// Nothing that needs the webhooks: with them away, changes of a spec are refused.
fn while_nobody_looks(space: &Space<'_>) {
    let refused = space.merge("celeries", "changed", &shop::yaml("spec: {common: {image: 'shop:2'}}"));
    assert_eq!(refused.code, 500, "{}", refused.text);
    assert!(refused.text.contains("failed calling webhook"), "{}", refused.text);
    the_api_server_counts_it(space.rig);
    space.edit("celeries", "still", "metadata: {labels: {team: a}}");
    space.delete("services", "damaged-flower").success();
    space.edit("deployments", "damaged-worker", "spec: {replicas: 9}");
}

/// Under the names that alerts ask for.
fn the_api_server_counts_it(rig: &Rig) {
    let counted = rig.succeed(&["get", "--raw", "/metrics"]);
    for (metric, labels) in [
        (
            "apiserver_admission_webhook_rejection_count",
            &[r#"name="validate.celery.celeryproject.org""#, r#"error_type="calling_webhook_error""#][..],
        ),
        ("apiserver_admission_webhook_fail_open_count", &[r#"name="default.celery.celeryproject.org""#][..]),
    ] {
        let mut lines = counted.lines().filter(|line| line.starts_with(metric));
        assert!(lines.any(|line| labels.iter().all(|label| line.contains(label))), "{metric} {labels:?}");
    }
}

fn what_was_missed_is_done(space: &Space<'_>) {
    space.until_there("services", "damaged-flower");
    space.until("deployments", "damaged-worker", |it| it["spec"]["replicas"] == 1);
    space.edit("celeries", "changed", "spec: {common: {image: 'shop:2'}}");
    for name in ["changed-worker", "changed-flower"] {
        space.until("deployments", name, |it| {
            it["spec"]["template"]["spec"]["containers"][0]["image"] == "shop:2"
        });
    }
    for name in ["still", "changed", "damaged"] {
        assert_eq!(space.children(name).len(), 3, "{name}");
    }
}

fn only_what_was_needed_was_written(rig: &Rig, space: &Space<'_>, begin: u64) {
    let children = until("the repairs are logged", || {
        let mut writes = audit::writes_in(rig, begin, &space.name);
        writes.retain(|write| !write.contains("/status ") && !write.contains(" events"));
        writes.sort();
        if writes.len() >= 4 { Ok(writes) } else { Err(writes.join("\n")) }
    });
    let here = |what: &str, code: u16| {
        format!(
            "{} {}/{} {code}",
            what.split_once('/').unwrap().0,
            space.name,
            what.split_once('/').unwrap().1
        )
    };
    let wanted = [
        here("patch deployments/changed-flower", 200),
        here("patch deployments/changed-worker", 200),
        here("patch deployments/damaged-worker", 200),
        here("patch services/damaged-flower", 201),
    ];
    assert_eq!(children, wanted);
    let still = audit::writes_in(rig, begin, &space.name);
    assert!(!still.iter().any(|write| write.contains("/still")), "{}", still.join("\n"));
    // The certificate and its authority are there already.
    assert_eq!(audit::writes_in(rig, begin, "celery-system"), Vec::<String>::new());
}

/// Its failures are ignored: nobody may lose the other webhook, whose failures are not, over it.
fn a_missing_configuration_leaves_it_ready(rig: &Rig) {
    rig.succeed(&["delete", "mutatingwebhookconfigurations/celery-operator-mutating"]);
    until("the missing configuration is named", || {
        let answer = rig.launch.ask("/readyz").unwrap();
        assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
        if answer.contains("celery-operator-mutating does not exist") { Ok(()) } else { Err(answer) }
    });
    let counted = rig.launch.ask("/metrics").unwrap();
    for line in [
        "celery_operator_webhook_configurations_missing 1",
        "celery_operator_ca_bundle_mismatch 0",
        r#"celery_operator_gate_open{gate="certificate"} 1"#,
        r#"celery_operator_gate_open{gate="ca-published"} 1"#,
        r#"celery_operator_gate_open{gate="not-ending"} 1"#,
    ] {
        assert!(counted.lines().any(|shown| shown == line), "{line}\n{counted}");
    }
    // Its pods are not ready again: nobody says so here.
    let since = r#"celery_operator_celeries_unready_since_seconds{state="reconciling"} "#;
    let since = counted.lines().find_map(|line| line.strip_prefix(since)).expect("one is not ready");
    assert!(since.parse::<i64>().unwrap() > 1_700_000_000, "{since}");
}

fn serves_on_and_ends_well(rig: &Rig, space: &Space<'_>) {
    let mut operator = rig.operator();
    let mut process = operator.take().unwrap();
    process.terminate().unwrap();
    until("it says that it is ending", || {
        let answer = rig.launch.ask("/readyz").unwrap();
        if answer.starts_with("HTTP/1.1 503") { Ok(()) } else { Err(answer) }
    });
    // Both answers are the webhook's: where it is away, these changes are refused with 500.
    space.edit("celeries", "changed", "spec: {common: {image: 'shop:3'}}");
    let refused = space.merge("celeries", "changed", &shop::yaml("spec: {common: {image: My/App}}"));
    assert_eq!(refused.code, 422, "{}", refused.text);
    assert!(process.try_exit().is_none(), "it ended before it was asked again");
    process.terminate().unwrap();
    let status = process.wait(Duration::from_secs(30)).expect("ends when it is asked again");
    assert_eq!(status.code(), Some(0), "see {}", process.log().display());
}
