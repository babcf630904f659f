// SPDX-License-Identifier: Apache-2.0
//! An independent look at the objects: when the last of them is settled.

use std::collections::HashSet;
use std::pin::pin;
use std::time::{Duration, Instant};

use futures::StreamExt as _;
use kube::api::{Api, DynamicObject};
use kube::core::ApiResource;
use kube::runtime::watcher::{self, Event, watcher};
use kube::{Client, ResourceExt as _};
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::Error;
use crate::celery::is_settled;

/// Longer than any arm takes.
const PATIENCE: Duration = Duration::from_mins(20);

/// Watches the objects of a namespace.
pub(crate) struct Watch {
    seen: watch::Receiver<Seen>,
    task: JoinHandle<()>,
}

#[derive(Clone, Copy)]
struct Seen {
    listed: bool,
    settled: usize,
    at: Instant,
}

impl Watch {
    /// Begins to watch, and returns when the watch is open.
    ///
    /// # Errors
    /// When it does not open.
    pub(crate) async fn open(client: &Client, namespace: &str) -> Result<Self, Error> {
        let resource = ApiResource::erase::<celery_operator::api::Celery>(&());
        let api: Api<DynamicObject> = Api::namespaced_with(client.clone(), namespace, &resource);
        let (sender, mut seen) = watch::channel(Seen { listed: false, settled: 0, at: Instant::now() });
        let task = tokio::spawn(async move {
            let mut settled = HashSet::new();
            let mut events = pin!(watcher(api, watcher::Config::default()));
            while let Some(event) = events.next().await {
                let listed = matches!(event, Ok(Event::InitDone));
                if let Ok(Event::InitApply(object) | Event::Apply(object)) = event
                    && is_settled(&object.data, object.metadata.generation)
                {
                    settled.insert(object.name_any());
                }
                sender.send_modify(|seen| {
                    seen.listed |= listed;
                    if seen.settled != settled.len() {
                        *seen = Seen { settled: settled.len(), at: Instant::now(), ..*seen };
                    }
                });
            }
        });
        tokio::time::timeout(PATIENCE, seen.wait_for(|seen| seen.listed)).await??;
        Ok(Self { seen, task })
    }

    /// Waits until so many objects are settled, and returns when the last of them was.
    ///
    /// # Errors
    /// When that takes too long.
    pub(crate) async fn until(&mut self, count: usize) -> Result<Instant, Error> {
        let waited = self.seen.wait_for(|seen| seen.settled >= count);
        if let Ok(seen) = tokio::time::timeout(PATIENCE, waited).await {
            return Ok(seen?.at);
        }
        Err(format!("{} of {count} objects settled in time", self.seen.borrow().settled).into())
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.task.abort();
    }
}
