// SPDX-License-Identifier: Apache-2.0
//! What the webhooks add to a create: against none, against webhooks that answer at once, and against those that answer
//! at once with the same patch.

use std::time::{Duration, Instant};

use celery_operator::defaults::{self, Addition, Moment};
use celery_operator::manifests::{Destination, Installation, webhooks};
use serde_json::{Value, json};
use testbed::exchange::{JSON, Message, exchange};

use crate::celery::{CELERIES, celery, within};
use crate::null::{Null, PATCHING, base64};
use crate::stage::{ADMITTED_BY, OURS, Stage};
use crate::{Error, Plan};

/// Value of the label for the webhooks that answer at once.
const NULL: &str = "null";
/// Value of the label for those that answer at once with the patch that the operator's answer with.
const PATCH: &str = "patch";
/// Value of the label that no webhook asks for.
const NONE: &str = "none";
/// How long configurations may take to come into force.
const PATIENCE: Duration = Duration::from_secs(30);
const POLL: Duration = Duration::from_millis(100);
/// Creates before the first that counts: connections are opened, caches filled.
const WARM: usize = 20;

/// Milliseconds of each create.
#[derive(Clone, Debug, Default)]
pub(crate) struct Admission {
    pub(crate) none: Vec<f64>,
    pub(crate) null: Vec<f64>,
    pub(crate) patch: Vec<f64>,
    pub(crate) ours: Vec<f64>,
}

/// Creates one object after the other, dry: everything happens but the last write, so the operator has nothing to
/// reconcile meanwhile. Beside it are all objects of the plan, which the rules have to look at.
///
/// # Errors
/// When the webhooks do not come into force or a create is refused.
pub(crate) async fn measure(stage: &Stage, namespace: &str, plan: &Plan) -> Result<Admission, Error> {
    let null = Null::serve(&patch())?;
    for kind in [NULL, PATCH] {
        install(stage, &null, kind).await?;
    }
    for kind in [NULL, PATCH] {
        await_force(stage, &null, namespace, kind).await?;
    }
    let mut admission = Admission::default();
    let mut kinds = [NONE, NULL, PATCH, OURS];
    for index in 0..WARM + plan.creates {
        for kind in kinds {
            let took = create(stage, namespace, kind).await?;
            if index >= WARM {
                match kind {
                    NONE => admission.none.push(took),
                    NULL => admission.null.push(took),
                    PATCH => admission.patch.push(took),
                    _ => admission.ours.push(took),
                }
            }
        }
        kinds.rotate_left(1);
    }
    Ok(admission)
}

/// What the operator's webhook adds to the object.
fn patch() -> Value {
    let additions = defaults::absent(&labelled(OURS), Moment::Creation);
    let path = |addition: &Addition| format!("/{}", addition.path.join("/"));
    additions
        .iter()
        .map(|addition| json!({ "op": "add", "path": path(addition), "value": addition.value }))
        .collect()
}

/// The operator's own configurations, leading elsewhere.
async fn install(stage: &Stage, null: &Null, kind: &str) -> Result<(), Error> {
    let before = if kind == PATCH { PATCHING } else { "" };
    let destination = Destination::Url(format!("{}{before}", null.url));
    for mut configuration in webhooks(&Installation::default(), &destination) {
        let plural = match configuration["kind"].as_str() {
            Some("MutatingWebhookConfiguration") => "mutatingwebhookconfigurations",
            _ => "validatingwebhookconfigurations",
        };
        configuration["metadata"]["name"] = json!(format!("bench-{kind}-{plural}"));
        let webhook = &mut configuration["webhooks"][0];
        webhook["objectSelector"] = json!({ "matchLabels": { ADMITTED_BY: kind } });
        webhook["clientConfig"]["caBundle"] = json!(base64(null.authority.as_bytes()));
        let path = format!("/apis/admissionregistration.k8s.io/v1/{plural}");
        let message = Message::new("POST", path, JSON, configuration.to_string());
        testbed::exchange::succeed(&stage.admin, message).await?;
    }
    Ok(())
}

/// Both kinds of webhooks are in force when one refuses what is wrong and the other has been asked twice.
async fn await_force(stage: &Stage, null: &Null, namespace: &str, kind: &str) -> Result<(), Error> {
    let deadline = Instant::now() + PATIENCE;
    loop {
        let mut wrong = labelled(OURS);
        wrong["spec"]["common"]["image"] = json!("My/App");
        let (code, text) = exchange(&stage.admin, dry(namespace, &wrong)).await?;
        let before = null.answered();
        create(stage, namespace, kind).await?;
        if code == 422 && null.answered() == before + 2 {
            return Ok(());
        }
        if Instant::now() > deadline {
            return Err(format!("the webhooks are not in force; last seen: {code} {text}").into());
        }
        tokio::time::sleep(POLL).await;
    }
}

async fn create(stage: &Stage, namespace: &str, kind: &str) -> Result<f64, Error> {
    let message = dry(namespace, &labelled(kind));
    let sent = Instant::now();
    testbed::exchange::succeed(&stage.admin, message).await?;
    Ok(sent.elapsed().as_secs_f64() * 1000.0)
}

fn labelled(kind: &str) -> Value {
    let mut object = celery("admitted");
    object["metadata"]["labels"] = json!({ ADMITTED_BY: kind });
    object
}

fn dry(namespace: &str, object: &Value) -> Message {
    Message::new("POST", format!("{}?dryRun=All", within(namespace, CELERIES)), JSON, object.to_string())
}
