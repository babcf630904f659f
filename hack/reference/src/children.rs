// SPDX-License-Identifier: Apache-2.0
//! The names of what is created for a Celery, and how one moves from objects that were made by hand.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use celery_operator::build::ChildKind;
use celery_operator::labels::{self, Component, selector_text};
use celery_operator::{annotations, names};

use crate::markdown::{block, code, head, table};

/// In the place of `spec.common.appName`, else of the name of the Celery.
const APP: &str = "APP";
/// In the place of the name of the Celery.
const NAME: &str = "NAME";
/// In the place of the name of a pool.
const POOL: &str = "POOL";

/// What is written, and the part of the Celery that it becomes.
struct Part {
    written: &'static str,
    name: String,
    component: Component,
    pool: Option<&'static str>,
    /// Of its name too, beside the Deployment.
    beside: &'static [ChildKind],
}

fn parts() -> [Part; 4] {
    const SCALED: &[ChildKind] = &[
        ChildKind::HorizontalPodAutoscaler,
        ChildKind::ScaledObject,
        ChildKind::TriggerAuthentication,
        ChildKind::PodDisruptionBudget,
    ];
    [
        Part {
            written: "spec.workerSpec",
            name: names::worker(APP, names::DEFAULT_POOL),
            component: Component::Worker,
            pool: Some(names::DEFAULT_POOL),
            beside: SCALED,
        },
        Part {
            written: "spec.workerPools[]",
            name: names::worker(APP, POOL),
            component: Component::Worker,
            pool: Some(POOL),
            beside: SCALED,
        },
        Part {
            written: "spec.beatSpec",
            name: names::beat(APP),
            component: Component::Beat,
            pool: None,
            beside: &[ChildKind::PersistentVolumeClaim],
        },
        Part {
            written: "spec.flowerSpec",
            name: names::flower(APP),
            component: Component::Flower,
            pool: None,
            beside: &[
                ChildKind::Service,
                ChildKind::Ingress,
                ChildKind::HorizontalPodAutoscaler,
                ChildKind::PersistentVolumeClaim,
                ChildKind::ServiceMonitor,
            ],
        },
    ]
}

/// The page.
pub(crate) fn page() -> String {
    let mut text = head("Children");
    let _ = write!(
        text,
        "\nWhat is created for a Celery, and how it is called. {} stands for `spec.common.appName`, or for the name of \
         the Celery\nwhere that is absent; {} for the name of the Celery. What is beside a Deployment has its name, and \
         is there when the\nspec asks for it.\n\n",
        code(APP),
        code(NAME)
    );
    let rows = parts().map(|part| {
        let selector: BTreeMap<String, String> = labels::selector(NAME, part.component, part.pool);
        let beside: Vec<&str> = part.beside.iter().map(|kind| kind.as_str()).collect();
        vec![code(part.written), code(&part.name), code(&selector_text(&selector)), beside.join(", ")]
    });
    text.push_str(&table(&["Field", "Deployment", "Its selector", "Beside it"], &rows));
    let _ = write!(
        text,
        "\n{}: of a broker in parts {}, for KEDA {}. {}: {}, for probes.\n",
        ChildKind::Secret.as_str(),
        code(&names::broker_secret(APP)),
        code(&names::keda_secret(APP)),
        ChildKind::ConfigMap.as_str(),
        code(&names::probe_files(APP)),
    );
    text.push_str(ORDER);
    text.push_str(OWNERSHIP);
    text.push_str(&moving());
    text
}

/// What waits for what.
const ORDER: &str = "
## When they come and go

An object of such a name that is somebody else's is left alone, and so is whatever would use it: no autoscaler scales his
Deployment, no Ingress publishes his Service, no pod reads his Secret. The status says `NameTaken` for both.

Beat waits until the pods of an earlier one have ended. Where the role of the operator does not let it list pods, nobody can
wait for them.

What the spec no longer asks for is deleted at once, save Secrets and ConfigMaps: they stay until every pod is of the newest
template, since a container of an older pod that starts again reads them once more.
";

/// What comes back and what stays.
const OWNERSHIP: &str = "
## What somebody else writes on them

Children are written by server-side apply: what the operator renders comes back when somebody changes or deletes it, and
what somebody adds beside it stays, since injectors and other controllers add fields too. So a node selector, a limit or a
variable that is added by hand to a Deployment is left alone, and so is a further port of a Service or the `behavior` of an
HPA. Where pods fail for something that the spec does not say, the status names the Deployment and no field. A rollout that
somebody has paused stays so, and is told as `DeploymentPaused`.

The number of pods has one owner at a time:

| Who scales the Deployment | Its number of pods |
|---|---|
| nobody | that of the spec; another is undone. Where the spec has none: one at first, afterwards what somebody writes, or an autoscaler has left, but not zero |
| an HPA, of `scaleTargetRef` or somebody's own | the HPA's, but not zero, which no HPA ever raises: then `minReplicas`, or the number of the spec |
| a ScaledObject | KEDA's, zero included |
| anybody, for beat | one |

A switch between HPA and KEDA keeps the number. An autoscaler that is no longer asked for keeps it until it is gone; then
the spec's counts, where it has one.
";

/// From a chart or from hand-made manifests, side by side.
fn moving() -> String {
    let mut text = format!(
        "\n## From a Deployment of your own\n\nThe annotation {} takes over a Deployment of the right name, but only one \
         that\nselects its pods as above: a selector never changes. With any other it ends in `SelectorDiffers`. Then the \
         new pods come up\nbeside the old ones; both take tasks from the same queues, so that nothing waits:\n\n\
         1. Write the Celery with an `appName` whose names above are free, at first without `beatSpec`: two \
         beats send\n   every periodic task twice. Wait until it is there:\n\n",
        code(annotations::ADOPT)
    );
    let step = |text: &mut String, commands: &str| {
        for line in block("sh", commands).lines() {
            let _ = writeln!(text, "   {line}");
        }
        text.push('\n');
    };
    step(&mut text, "kubectl wait --for=condition=Ready celery/shop --timeout=10m");
    text.push_str(
        "2. Let the old workers finish what they run. What scales them goes first, or it starts them again; a grace \
         period that is\n   shorter than the longest task kills it:\n\n",
    );
    step(
        &mut text,
        "kubectl delete hpa old-worker --ignore-not-found\nkubectl scale deployment old-worker --replicas=0",
    );
    text.push_str("3. Scale the old beat to 0, and add `beatSpec` once its pod is gone:\n\n");
    step(
        &mut text,
        "kubectl scale deployment old-beat --replicas=0\nkubectl wait --for=delete pod --selector=app=old-beat",
    );
    text.push_str("4. Delete what is left, or take it out of the chart:\n\n");
    step(&mut text, "kubectl delete deployment old-worker old-beat");
    text.push_str(&crate::moving::text());
    text.truncate(text.trim_end().len());
    text.push('\n');
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_has_its_name() {
        let page = page();
        for kind in ChildKind::ALL {
            assert!(page.contains(kind.as_str()), "{}", kind.as_str());
        }
        assert!(page.contains("`APP-worker-POOL`"), "{page}");
        let selector = "app.kubernetes.io/component=worker,app.kubernetes.io/instance=NAME,\
                        app.kubernetes.io/name=celery,celeryproject.org/pool=default";
        assert!(page.contains(selector), "{page}");
    }
}
