// SPDX-License-Identifier: Apache-2.0
//! `charts/celery-stack` as `docs/install.md` installs and removes it: definition, operator, KEDA, a Redis and a first
//! Celery in one release, all of them as pods.

use std::fs;
use std::time::{Duration, Instant};

use super::plain;
use crate::install::DEFINITION;
use crate::outcome::Outcome;
use crate::stage::{Stage, wait_for};
use crate::{Error, images, install};

/// Namespace and name of the release.
const NAMESPACE: &str = "try";
const RELEASE: &str = "stack";
const WORKERS: &str = "app.kubernetes.io/component=worker";
/// With 10 for each pod, as the chart says, as many pods as it allows.
const TASKS: usize = 60;
const MOST: u64 = 5;
const OUT_WITHIN: Duration = Duration::from_mins(1);

/// Installs and removes the stack in the place of the operator, which is back afterwards.
pub(crate) fn run(stage: &Stage) -> Result<Outcome, Error> {
    install::uninstall(stage)?;
    install::forget(stage)?;
    let mut outcome = Outcome::default();
    let done = in_and_out(stage, &mut outcome);
    // Whatever this has left: the experiments behind it need an operator, and bring a KEDA of their own.
    let rest = [
        install::helm(stage, &["uninstall", RELEASE, "--namespace", NAMESPACE, "--ignore-not-found"]),
        stage.kubectl(&["delete", "namespace", NAMESPACE, "--ignore-not-found"]).map(drop),
        stage.kubectl(&["delete", "customresourcedefinitions", DEFINITION, "--ignore-not-found"]).map(drop),
    ];
    rest.into_iter().collect::<Result<(), Error>>()?;
    install::install(stage)?;
    done.map(|()| outcome)
}

fn in_and_out(stage: &Stage, outcome: &mut Outcome) -> Result<(), Error> {
    let folder = stage.plane.dir().join("stack");
    fs::create_dir_all(&folder)?;
    for image in images::keda(&folder)?.iter().chain([&images::redis(&folder)?]) {
        stage.import(image)?;
    }
    let chart = folder.join("chart");
    testbed::stack::package(&keda(stage)?, &chart)?;
    let chart = chart.to_str().ok_or("the folder of the cluster has a name that is no UTF-8")?;
    let begin = Instant::now();
    let image = format!("sample.image={}", crate::sample::image(0));
    let sample = ["--set", &image, "--set", "sample.celeryApp=shop"];
    let release = [RELEASE, chart, "--namespace", NAMESPACE, "--create-namespace", "--wait"];
    let values = ["--set", "broker.type=redis", "--set", "keda.enabled=true"];
    install::helm(stage, &[&["install"], &release[..], &values, &sample].concat())?;
    outcome.told(format!("operator, KEDA and Redis are up after {:.0} s", begin.elapsed().as_secs_f64()));
    for condition in ["Ready", "AutoscalingReady"] {
        let condition = format!("--for=condition={condition}");
        kubectl(stage, &["wait", &condition, "celery/stack", "--timeout=5m"])?;
    }
    outcome.held(true, "its Celery is ready, and so is its autoscaler");
    tasks(stage, outcome)?;
    remove(stage, outcome)
}

/// More tasks than one pod is there for.
fn tasks(stage: &Stage, outcome: &mut Outcome) -> Result<(), Error> {
    let begin = Instant::now();
    let tasks = TASKS.to_string();
    let send = ["python3", "send.py", "slow", &tasks, "--seconds", "3", "3"];
    kubectl(stage, &[&["exec", "deployment/stack-worker", "--"], &send[..]].concat())?;
    wait_for("as many pods as are allowed", || {
        let asked =
            kubectl(stage, &["get", "deployment/stack-worker", "--output=jsonpath={.spec.replicas}"])?;
        Ok(if asked == MOST.to_string() { Ok(()) } else { Err(format!("{asked} pods")) })
    })?;
    let took = begin.elapsed();
    outcome.held(
        took < OUT_WITHIN,
        format!("{MOST} pods {:.0} s after {TASKS} tasks were sent", took.as_secs_f64()),
    );
    let all = wait_for("every task", || {
        // No pod goes for five minutes, and with it nothing that it has logged.
        let logs = kubectl(stage, &["logs", "--selector", WORKERS, "--tail=-1", "--max-log-requests=10"])?;
        let done = logs.matches(" succeeded in ").count();
        Ok(if done == TASKS { Ok(()) } else { Err(format!("{done} are done")) })
    });
    outcome
        .held(all.is_ok(), all.map_or_else(|error| error.to_string(), |()| "every task is done".to_owned()));
    Ok(())
}

/// In the order that the notes of the release say.
fn remove(stage: &Stage, outcome: &mut Outcome) -> Result<(), Error> {
    kubectl(stage, &["delete", "celery/stack", "--cascade=foreground", "--timeout=2m"])?;
    install::helm(stage, &["uninstall", RELEASE, "--namespace", NAMESPACE, "--wait"])?;
    let left = plain::left(stage)?;
    let kept = format!("customresourcedefinition.apiextensions.k8s.io/{DEFINITION}");
    outcome.held(left == [kept], format!("removed again: {}", plain::told(&left)));
    Ok(())
}

/// KEDA's own manifests, for images that are on the node.
fn keda(stage: &Stage) -> Result<String, Error> {
    let folder = testbed::keda::kustomization()?;
    let folder = folder.to_str().ok_or("modules are kept in a folder whose name is no UTF-8")?;
    let manifests = stage.kubectl(&["kustomize", folder])?;
    Ok(manifests.replace("imagePullPolicy: Always", "imagePullPolicy: IfNotPresent"))
}

fn kubectl(stage: &Stage, arguments: &[&str]) -> Result<String, Error> {
    stage.kubectl(&[&["--namespace", NAMESPACE][..], arguments].concat())
}
