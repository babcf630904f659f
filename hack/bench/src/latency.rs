// SPDX-License-Identifier: Apache-2.0
//! From the change of a spec to the Deployment, while all other objects are idle.

use std::pin::pin;
use std::time::{Duration, Instant};

use futures::StreamExt as _;
use k8s_openapi::api::apps::v1::Deployment;
use kube::api::Api;
use kube::runtime::watcher::{self, Event, watcher};
use kube::{Client, ResourceExt as _};
use serde_json::{Value, json};
use tokio::sync::mpsc;

use crate::celery::{CELERIES, name, within};
use crate::exchange::{Message, succeed};
use crate::recording::Recording;
use crate::stage::Stage;
use crate::{Error, Plan};

/// Where the bare client's Deployment is, which the operator does not look at.
const BARE: &str = "bench-bare";
/// Longer than any change takes.
const PATIENCE: Duration = Duration::from_secs(30);
/// Between two changes: they are not to meet.
const PAUSE: Duration = Duration::from_millis(30);

/// Milliseconds of each change.
#[derive(Clone, Debug, Default)]
pub(crate) struct Latency {
    /// From sending the change to seeing the Deployment that follows it.
    pub(crate) whole: Vec<f64>,
    /// From the answer to the change to seeing the Deployment: what the operator adds.
    pub(crate) reaction: Vec<f64>,
    /// One server-side apply of such a Deployment by a bare client, from sending it to its answer.
    pub(crate) bare: Vec<f64>,
}

/// Changes one object after the other; a bare apply comes after each change.
///
/// # Errors
/// When a change is not followed.
pub(crate) async fn measure(
    stage: &Stage,
    recording: &Recording,
    namespace: &str,
    plan: &Plan,
) -> Result<Latency, Error> {
    stage.space(BARE).await?;
    let mut seen = follow(stage.admin.clone(), namespace).await?;
    let client = stage.bare()?;
    let mut latency = Latency::default();
    for change in 0..plan.changes {
        let target = name(change * plan.objects / plan.changes);
        // Another number each time, also when an object has its second turn.
        let replicas = 3 + i32::try_from(change)?;
        let (sent, answered) = change_spec(stage, namespace, &target, replicas).await?;
        let shown = until(&mut seen, &format!("{target}-worker"), replicas).await?;
        latency.whole.push(milliseconds(sent, shown));
        latency.reaction.push(milliseconds(answered, shown));
        tokio::time::sleep(PAUSE).await;
        latency.bare.push(apply(&client, recording, replicas).await?);
        tokio::time::sleep(PAUSE).await;
    }
    Ok(latency)
}

async fn change_spec(
    stage: &Stage,
    namespace: &str,
    name: &str,
    replicas: i32,
) -> Result<(Instant, Instant), Error> {
    let path = format!("{}/{name}", within(namespace, CELERIES));
    let sent = Instant::now();
    stage.merge(path, &json!({ "spec": { "workerSpec": { "numOfWorkers": replicas } } })).await?;
    Ok((sent, Instant::now()))
}

async fn apply(client: &Client, recording: &Recording, replicas: i32) -> Result<f64, Error> {
    let applied = recording.applied("-worker", BARE, "bare")?;
    let mut body: Value = serde_json::from_str(&applied.body)?;
    body["spec"]["replicas"] = json!(replicas);
    body["metadata"]["labels"]["app.kubernetes.io/managed-by"] = json!("bench");
    if let Some(metadata) = body["metadata"].as_object_mut() {
        metadata.remove("ownerReferences");
    }
    let path =
        if applied.path.contains("force=") { applied.path } else { format!("{}&force=true", applied.path) };
    let message = Message { path, body: body.to_string(), ..applied };
    let sent = Instant::now();
    succeed(client, message).await?;
    Ok(milliseconds(sent, Instant::now()))
}

/// The Deployments of a namespace as they are seen: name, replicas and when.
async fn follow(
    client: Client,
    namespace: &str,
) -> Result<mpsc::UnboundedReceiver<(String, i32, Instant)>, Error> {
    let api: Api<Deployment> = Api::namespaced(client, namespace);
    let (tell, seen) = mpsc::unbounded_channel();
    let (listed, opened) = tokio::sync::oneshot::channel();
    // Ends when nobody listens any more.
    tokio::spawn(async move {
        let mut listed = Some(listed);
        let mut events = pin!(watcher(api, watcher::Config::default()));
        while let Some(event) = events.next().await {
            let at = Instant::now();
            match event {
                Ok(Event::Apply(object)) => {
                    let replicas = object.spec.as_ref().and_then(|spec| spec.replicas).unwrap_or_default();
                    if tell.send((object.name_any(), replicas, at)).is_err() {
                        return;
                    }
                }
                Ok(Event::InitDone) => drop(listed.take().map(|listed| listed.send(()))),
                _ => {}
            }
        }
    });
    tokio::time::timeout(PATIENCE, opened).await??;
    Ok(seen)
}

async fn until(
    seen: &mut mpsc::UnboundedReceiver<(String, i32, Instant)>,
    name: &str,
    replicas: i32,
) -> Result<Instant, Error> {
    let followed = async {
        while let Some((seen, count, at)) = seen.recv().await {
            if seen == name && count == replicas {
                return Ok(at);
            }
        }
        Err(Error::from("the watch of the Deployments ended"))
    };
    tokio::time::timeout(PATIENCE, followed).await.map_err(|_| format!("{name} does not follow its spec"))?
}

/// Zero when the second moment came first: a Deployment may be seen before the change has been answered.
fn milliseconds(from: Instant, to: Instant) -> f64 {
    to.saturating_duration_since(from).as_secs_f64() * 1000.0
}
