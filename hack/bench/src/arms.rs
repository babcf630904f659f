// SPDX-License-Identifier: Apache-2.0
//! Many objects at full speed: by the operator, and by bare clients that know what is to be sent.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use celery_operator::reconcile::CONCURRENCY;
use futures::channel::mpsc;
use futures::future::try_join_all;
use futures::{StreamExt as _, TryStreamExt as _, stream};
use kube::Client;
use serde_json::Value;
use testbed::Component;
use testbed::audit::{self, Event};
use testbed::exchange::{JSON, Message, exchange, succeed};

use crate::celery::{COLLECTIONS, creation, name, within};
use crate::recording::Recording;
use crate::settled::Watch;
use crate::stage::Stage;
use crate::{Error, Plan, process};

/// Objects that are created at the same time.
const CREATED_AT_ONCE: usize = 8;
/// No request of the operator's within this time: it has come to rest.
const QUIET: Duration = Duration::from_secs(2);

/// Who makes the children.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Maker {
    /// The operator.
    Operator,
    /// A bare client that sends what the operator sends.
    Same,
    /// A bare client that sends the least there is to send.
    Least,
}

/// One run of one arm.
#[derive(Clone, Debug)]
pub(crate) struct Run {
    pub(crate) maker: Maker,
    /// From the first create until the last object is settled.
    pub(crate) seconds: f64,
    /// From the first create until the last one was answered.
    pub(crate) creating: f64,
    /// Processor time of the operator and of this process, of the API server, of etcd.
    pub(crate) processors: [f64; 3],
    /// Requests of the operator by verb and kind, its watches apart.
    pub(crate) requests: BTreeMap<String, usize>,
    /// Those of them that write, events apart.
    pub(crate) mutating: usize,
}

/// All runs, in the order in which they were made.
pub(crate) async fn run(stage: &Stage, recording: &Recording, plan: &Plan) -> Result<Vec<Run>, Error> {
    let mut makers = [Maker::Operator, Maker::Same, Maker::Least];
    let mut runs = Vec::new();
    for block in 0..plan.blocks {
        for maker in makers {
            let namespace = format!("bench-{block}-{maker:?}").to_lowercase();
            stage.space(&namespace).await?;
            let run = one(stage, recording, plan, maker, &namespace).await?;
            println!(
                "block {block}: {maker:?} {:.2} s, creates alone {:.2} s, processor {:.2?} s",
                run.seconds, run.creating, run.processors
            );
            runs.push(run);
            stage.clear(&namespace).await?;
        }
        // Each arm comes first, second and last in turn.
        makers.rotate_left(1);
    }
    Ok(runs)
}

async fn one(
    stage: &Stage,
    recording: &Recording,
    plan: &Plan,
    maker: Maker,
    namespace: &str,
) -> Result<Run, Error> {
    let operator = if maker == Maker::Operator { Some(stage.start_operator().await?) } else { None };
    let mut watch = Watch::open(&stage.admin, namespace).await?;
    let log = audit::length(&stage.audit_log)?;
    let pids = [
        std::process::id(),
        stage.plane.process(Component::ApiServer).id(),
        stage.plane.process(Component::Etcd).id(),
    ];
    let used = || -> Result<Vec<f64>, Error> {
        let mut used =
            pids.iter().map(|pid| process::processor_seconds(*pid)).collect::<Result<Vec<_>, _>>()?;
        if let Some(operator) = &operator {
            used[0] += process::processor_seconds(operator.id())?;
        }
        Ok(used)
    };
    let before = used()?;
    let begin = Instant::now();
    let creating = match maker {
        Maker::Operator => create(&stage.admin, namespace, 0..plan.objects, None).await?,
        Maker::Same | Maker::Least => bare(stage, recording, plan, maker, namespace).await?,
    };
    let seconds = watch.until(plan.objects).await?.duration_since(begin).as_secs_f64();
    let after = used()?;
    let processors = [0, 1, 2].map(|index| after[index] - before[index]);
    check_children(stage, namespace, plan.objects).await?;
    let requests = if operator.is_some() { logged(stage, log, namespace).await? } else { Vec::new() };
    drop(operator);
    let mutating = requests.iter().filter(|event| event.is_mutating() && !event.is_about_events()).count();
    let requests = audit::counted(requests.iter().filter(|event| event.verb != "watch"));
    Ok(Run { maker, seconds, creating: creating.as_secs_f64(), processors, requests, mutating })
}

/// Creates objects at full speed; tells name and UID of each. Returns how long the creates took.
///
/// # Errors
/// When one is refused.
pub(crate) async fn create(
    client: &Client,
    namespace: &str,
    numbers: std::ops::Range<usize>,
    tell: Option<mpsc::UnboundedSender<(String, String)>>,
) -> Result<Duration, Error> {
    let begin = Instant::now();
    stream::iter(numbers)
        .map(|index| async move {
            let name = name(index);
            let created = succeed(client, creation(namespace, &name)).await?;
            let created: Value = serde_json::from_str(&created)?;
            Ok::<_, Error>((name, created["metadata"]["uid"].as_str().unwrap_or_default().to_owned()))
        })
        .buffer_unordered(CREATED_AT_ONCE)
        .try_for_each(|created| {
            if let Some(tell) = &tell {
                let _ = tell.unbounded_send(created);
            }
            std::future::ready(Ok(()))
        })
        .await?;
    Ok(begin.elapsed())
}

/// The bare arms: as many objects at the same time as the operator reconciles.
async fn bare(
    stage: &Stage,
    recording: &Recording,
    plan: &Plan,
    maker: Maker,
    namespace: &str,
) -> Result<Duration, Error> {
    let client = stage.bare()?;
    let (tell, created) = mpsc::unbounded();
    let creating = create(&stage.admin, namespace, 0..plan.objects, Some(tell));
    let sending = created
        .map(|(name, uid)| {
            let steps = match maker {
                Maker::Least => recording.least(namespace, &name, &uid),
                _ => recording.for_object(namespace, &name, &uid),
            };
            send(&client, steps)
        })
        .buffer_unordered(usize::from(CONCURRENCY))
        .try_for_each(|()| std::future::ready(Ok(())));
    let (creating, ()) = futures::future::try_join(creating, sending).await?;
    Ok(creating)
}

async fn send(client: &Client, steps: Vec<Vec<Message>>) -> Result<(), Error> {
    for step in steps {
        try_join_all(step.into_iter().map(|message| async move {
            let what = format!("{} {}", message.method, message.path);
            match exchange(client, message).await? {
                (200..=299, _) => Ok(()),
                // The operator has asked for what was not there.
                (404, _) if what.starts_with("GET") => Ok(()),
                (code, text) => Err(Error::from(format!("{what}: {code} {text}"))),
            }
        }))
        .await?;
    }
    Ok(())
}

/// Whether every child is there: a status may say so, the collections know.
async fn check_children(stage: &Stage, namespace: &str, objects: usize) -> Result<(), Error> {
    for (collection, each) in COLLECTIONS {
        let list =
            succeed(&stage.admin, Message::new("GET", within(namespace, collection), JSON, "")).await?;
        let list: Value = serde_json::from_str(&list)?;
        let count = list["items"].as_array().map_or(0, Vec::len);
        if count != objects * each {
            return Err(format!("{count} objects in {namespace} {collection}, not {}", objects * each).into());
        }
    }
    Ok(())
}

/// The operator's requests in a namespace since `from`, when it has come to rest.
///
/// # Errors
/// When the log cannot be read.
pub(crate) async fn logged(stage: &Stage, from: u64, namespace: &str) -> Result<Vec<Event>, Error> {
    let mut seen = usize::MAX;
    loop {
        let mut events = audit::requests(&stage.audit_log, from)?;
        events.retain(|event| event.is_in(namespace));
        if events.len() == seen {
            return Ok(events);
        }
        seen = events.len();
        tokio::time::sleep(QUIET).await;
    }
}
