// SPDX-License-Identifier: Apache-2.0
//! The steps of the tour.

use std::error::Error;

use testbed::ControlPlane;

use crate::script::{expect, run as silently, say, show, wait};

type Outcome = Result<(), Box<dyn Error>>;

/// The sample that opens the documentation.
const GOOD: &str = include_str!("../../../config/samples/smallest.yaml");

/// Three mistakes that show hours later without the operator: a host that is no URL, an image that nobody can pull, a
/// metric that does not exist.
const BAD: &str = "\
apiVersion: celeryproject.org/v1alpha1
kind: Celery
metadata:
  name: mistaken
spec:
  common:
    image: Shop/Web:1.0
    celeryApp: shop.tasks
    broker:
      url: cache:6379
  workerSpec: {}
  scaleTargetRef:
    - kind: worker
      maxReplicas: 5
      metrics:
        - name: message_queue
          target: {type: AverageValue, averageValue: 10}
";

/// All steps, until the first that does not behave.
pub(crate) fn run(plane: &ControlPlane) -> Outcome {
    for step in [defaults, refusal, children, flower, drift] {
        step(plane)?;
    }
    Ok(())
}

fn defaults(plane: &ControlPlane) -> Outcome {
    say("A good object is stored, and what it leaves open is filled in");
    expect(
        &show(plane, &["apply", "-f", "-"], Some(GOOD))?,
        true,
        &["celery.celeryproject.org/shop created"],
    )?;
    let spec = show(plane, &["get", "celery", "shop", "-o", "jsonpath-as-json={.spec}"], None)?;
    expect(&spec, true, &["\"appName\": \"shop\"", "\"numOfWorkers\": 1"])
}

fn refusal(plane: &ControlPlane) -> Outcome {
    say("A bad one is refused, every mistake at once, with what to write instead");
    let refused = show(plane, &["apply", "-f", "-"], Some(BAD))?;
    expect(&refused, false, &["[B04]", "[C04]", "[A05]", "did you mean task_queue_length?"])?;
    expect(&silently(plane, &["get", "celery", "mistaken"], None)?, false, &["NotFound"])
}

fn children(plane: &ControlPlane) -> Outcome {
    say("The stored object becomes a worker Deployment, and its state is told");
    wait(plane, &["get", "deployment", "shop-worker", "-o", "name"], &["deployment.apps/shop-worker"])?;
    wait(plane, &["get", "celery", "shop"], &["redis", "0/1"])?;
    expect(&show(plane, &["get", "celeries,deployments"], None)?, true, &["shop-worker"])?;
    let conditions = "jsonpath={range .status.conditions[*]}{.type}={.status}, {.message}{\"\\n\"}{end}";
    let told = show(plane, &["get", "celery", "shop", "-o", conditions], None)?;
    expect(&told, true, &["Valid=True", "WorkersAvailable=False"])?;
    println!("(no node runs here, so the pods wait: Ready is False until there is one)");
    Ok(())
}

fn flower(plane: &ControlPlane) -> Outcome {
    say("Flower is one field away; two workers are another");
    let patch = r#"{"spec":{"flowerSpec":{},"workerSpec":{"numOfWorkers":2}}}"#;
    expect(
        &show(plane, &["patch", "celery", "shop", "--type=merge", "-p", patch], None)?,
        true,
        &["patched"],
    )?;
    wait(
        plane,
        &["get", "deployments,services", "-o", "name"],
        &["deployment.apps/shop-flower", "service/shop-flower"],
    )?;
    wait(plane, &["get", "celery", "shop"], &["0/2"])?;
    let children = "jsonpath={range .status.children[*]}{.kind}{\"\\t\"}{.name}{\"\\n\"}{end}";
    expect(&show(plane, &["get", "celery", "shop", "-o", children], None)?, true, &["Service\tshop-flower"])
}

fn drift(plane: &ControlPlane) -> Outcome {
    say("What somebody deletes comes back");
    let uid = || -> Result<String, Box<dyn Error>> {
        let output =
            silently(plane, &["get", "deployment", "shop-worker", "-o", "jsonpath={.metadata.uid}"], None)?;
        Ok(String::from_utf8_lossy(&output.stdout).into_owned())
    };
    let before = uid()?;
    expect(&show(plane, &["delete", "deployment", "shop-worker"], None)?, true, &["deleted"])?;
    wait(plane, &["get", "deployment", "shop-worker", "-o", "name"], &["deployment.apps/shop-worker"])?;
    show(plane, &["get", "deployment", "shop-worker"], None)?;
    if uid()? == before { Err("the Deployment was never deleted".into()) } else { Ok(()) }
}
