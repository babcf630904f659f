// SPDX-License-Identifier: Apache-2.0
//! From the change of a spec to the Deployment, while all other objects are idle.

use std::pin::pin;
use std::time::{Duration, Instant};

use celery_operator::api::Celery;
use futures::StreamExt as _;
use k8s_openapi::api::apps::v1::Deployment;
use kube::api::{Api, DynamicObject};
use kube::core::ApiResource;
use kube::runtime::watcher::{self, Event, watcher};
use kube::{Client, ResourceExt as _};
use serde_json::{Value, json};
use testbed::exchange::{Message, succeed};
use tokio::sync::mpsc;

use crate::celery::{CELERIES, name, within};
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
    /// From the moment at which anybody can know of the change, by its answer or by a watch, to seeing the Deployment.
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
    let resource = ApiResource::erase::<Deployment>(&());
    let mut seen = follow(stage.admin.clone(), namespace, resource, "/spec/replicas").await?;
    let resource = ApiResource::erase::<Celery>(&());
    let mut changed =
        follow(stage.admin.clone(), namespace, resource, "/spec/workerSpec/numOfWorkers").await?;
    let client = stage.bare()?;
    let mut latency = Latency::default();
    for change in 0..plan.changes {
        let target = name(change * plan.objects / plan.changes);
        // Another number each time, also when an object has its second turn.
        let replicas = 3 + i64::try_from(change)?;
        let (sent, answered) = change_spec(stage, namespace, &target, replicas).await?;
        let shown = until(&mut seen, &format!("{target}-worker"), replicas).await?;
        latency.whole.push(milliseconds(sent, shown));
        let known = until(&mut changed, &target, replicas).await?.min(answered);
        latency.reaction.push(milliseconds(known, shown));
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
    replicas: i64,
) -> Result<(Instant, Instant), Error> {
    let path = format!("{}/{name}", within(namespace, CELERIES));
    let sent = Instant::now();
    stage.merge(path, &json!({ "spec": { "workerSpec": { "numOfWorkers": replicas } } })).await?;
    Ok((sent, Instant::now()))
}

async fn apply(client: &Client, recording: &Recording, replicas: i64) -> Result<f64, Error> {
    let applied = recording.worker(BARE, "bare")?;
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

/// Name, number and when: what a watch tells.
type Seen = (String, i64, Instant);

/// The objects of a namespace as they are seen, with the number that this pointer leads to.
async fn follow(
    client: Client,
    namespace: &str,
    resource: ApiResource,
    pointer: &'static str,
) -> Result<mpsc::UnboundedReceiver<Seen>, Error> {
    let api: Api<DynamicObject> = Api::namespaced_with(client, namespace, &resource);
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
                    let number = object.data.pointer(pointer).and_then(Value::as_i64).unwrap_or_default();
                    if tell.send((object.name_any(), number, at)).is_err() {
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

async fn until(seen: &mut mpsc::UnboundedReceiver<Seen>, name: &str, number: i64) -> Result<Instant, Error> {
    let followed = async {
        while let Some((seen, count, at)) = seen.recv().await {
            if seen == name && count == number {
                return Ok(at);
            }
        }
        Err(Error::from("a watch ended"))
    };
    tokio::time::timeout(PATIENCE, followed).await.map_err(|_| format!("{name} does not follow its spec"))?
}

/// Zero when the second moment came first: a Deployment may be seen before the change has been answered.
fn milliseconds(from: Instant, to: Instant) -> f64 {
    to.saturating_duration_since(from).as_secs_f64() * 1000.0
}
