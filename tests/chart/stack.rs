// SPDX-License-Identifier: Apache-2.0
//! The stack: the operator with what it works with. Its dependencies are put beside it here, since no repository of charts
//! can be counted on; in the place of KEDA's own chart stands one with KEDA's definitions.

use std::fs;
use std::process::Command;

use serde_json::Value;
use tempfile::TempDir;

use crate::helm::{chart, documents, printed, refused, rendered, said};
use crate::objects::one;
use crate::rig::{Rig, until};

/// The chart with its dependencies, KEDA without its programs.
pub(crate) fn packaged() -> TempDir {
    let folder = TempDir::new().unwrap();
    let files = testbed::keda::crds().unwrap();
    let definitions: Vec<String> = files.iter().map(|file| fs::read_to_string(file).unwrap()).collect();
    testbed::stack::package(&definitions.join("\n---\n"), folder.path()).unwrap();
    folder
}

const SAMPLE: &[&str] = &["--set", "sample.image=registry.example.com/app:1.0"];

#[test]
fn a_broker_of_choice_and_a_sample_that_is_accepted() {
    let stack = packaged();
    for (values, scheme, pods) in [
        (&["--set", "broker.type=redis"][..], "redis", 2),
        (&["--set", "broker.type=rabbitmq"], "amqp", 2),
        (
            &["--set", "broker.type=external,broker.external.secretName=mine,broker.external.scheme=rediss"],
            "rediss",
            1,
        ),
    ] {
        for keda in ["keda.enabled=false", "keda.enabled=true"] {
            let arguments = [SAMPLE, values, &["--set", keda]].concat();
            let objects = rendered(stack.path(), &arguments);
            assert_eq!(objects.iter().filter(|object| object["kind"] == "Deployment").count(), pods);
            let sample = one(&objects, "Celery", "");
            assert_eq!(sample["spec"]["common"]["broker"]["scheme"], scheme);
            assert_eq!(sample["metadata"]["annotations"]["helm.sh/hook"], "post-install");
            assert_eq!(sample["spec"].get("scaleTargetRef").is_some(), keda == "keda.enabled=true");
            let has_keda = objects.iter().any(|it| it["metadata"]["name"] == "scaledobjects.keda.sh");
            assert_eq!(has_keda, keda == "keda.enabled=true");
            accepted(&objects);
        }
    }
    assert!(!rendered(stack.path(), &[]).iter().any(|object| object["kind"] == "Celery"));
}

/// By the operator's own rules, which see the Secret with the URL as well.
fn accepted(objects: &[Value]) {
    let seen = objects.iter().filter(|it| it["kind"] == "Celery" || it["kind"] == "Secret");
    let texts: Vec<String> = seen.map(Value::to_string).collect();
    let file = tempfile::NamedTempFile::with_suffix(".yaml").unwrap();
    fs::write(file.path(), texts.join("\n---\n")).unwrap();
    let mut lint = Command::new(env!("CARGO_BIN_EXE_celery-operator"));
    let output = lint.args(["lint", "--namespace=celery-system"]).arg(file.path()).output().unwrap();
    let said = said(&output);
    assert!(
        output.status.success() && said.contains("1 Celery object") && said.contains("0 warnings"),
        "{said}"
    );
}

#[test]
fn an_external_broker_has_to_be_named() {
    let said = refused(packaged().path(), &["--set", "broker.type=external"]);
    assert!(said.contains("secretName"), "{said}");
    let said = refused(packaged().path(), &["--set", "broker.type=kafka"]);
    assert!(said.contains("type"), "{said}");
}

/// Everything in one command: what needs a definition comes after it.
#[test]
fn one_release_brings_definition_operator_keda_and_sample() {
    let rig = Rig::start();
    let stack = packaged();
    rig.namespace("try");
    let path = stack.path().display().to_string();
    // There is no node here: what has no pods can be waited for, as --wait does in a cluster.
    let values = "keda.enabled=true,celery-operator.replicas=0,celery-operator.webhooks.failurePolicy=Ignore,\
                  broker.type=external,broker.external.secretName=mine,broker.external.scheme=redis";
    let release = ["stack", &path, "--namespace", "try", "--wait", "--timeout=90s", "--set", values];
    let notes = rig.helmed(&[&["install"], &release[..], SAMPLE].concat());
    assert!(notes.contains("only KEDA can remove"), "{notes}");
    let sample = || rig.json(&["get", "celery/stack", "--namespace", "try"])["metadata"].clone();
    let uid = sample()["uid"].clone();
    assert!(uid.is_string(), "{}", sample());
    rig.helmed(&[&["upgrade"], &release[..], SAMPLE, &["--set", "sample.workers=2"]].concat());
    rig.helmed(&["uninstall", "stack", "--namespace", "try"]);
    assert_eq!((&sample()["uid"], sample().get("deletionTimestamp")), (&uid, None));
    rig.kubectl(&["delete", "celery/stack", "--namespace=try", "--timeout=60s"]);
    brokers_are_accepted_and_keep_their_password(&rig, &path);
}

fn brokers_are_accepted_and_keep_their_password(rig: &Rig, path: &str) {
    for broker in ["redis", "rabbitmq"] {
        let values =
            format!("broker.type={broker},celery-operator.enabled=false,celery-operator-crds.enabled=false");
        let release = [broker, path, "--namespace", "try", "--set", &values];
        rig.helmed(&[&["install"], &release[..]].concat());
        let name = format!("{broker}-broker");
        until("its pod is accepted", || {
            let it = rig.json(&["get", "deployment", &name, "--namespace", "try"]);
            if it["status"]["replicas"] == 1 { Ok(()) } else { Err(it["status"].to_string()) }
        });
        let secret = || rig.json(&["get", "secret", &name, "--namespace", "try"])["data"].clone();
        let before = secret();
        rig.helmed(&[&["upgrade"], &release[..]].concat());
        assert!(before["url"].is_string());
        assert_eq!(secret(), before);
    }
}

/// What Helm would fetch is what the chart was written for.
#[test]
fn kedas_chart_is_declared_for_the_release_that_is_tested() {
    let text = printed(Command::new("cat").arg(chart("celery-stack").join("Chart.yaml")));
    let declared = &documents(&text)[0]["dependencies"];
    let keda = declared.as_array().unwrap().iter().find(|it| it["name"] == "keda").unwrap().clone();
    let version = testbed::keda::VERSION.trim_start_matches('v').to_owned();
    assert_eq!(keda["version"], format!("^{version}"));
}
