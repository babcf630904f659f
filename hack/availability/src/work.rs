// SPDX-License-Identifier: Apache-2.0
//! Something to do for whoever writes: specs that change all the time.

use std::time::Duration;

use kube::Client;
use serde_json::json;
use testbed::exchange::{MERGE, Message, exchange};
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::Error;
use crate::admission::CELERIES;
use crate::stage::Stage;

/// Between two changes.
const PAUSE: Duration = Duration::from_millis(200);

/// Changes that go on.
pub(crate) struct Work {
    stop: watch::Sender<bool>,
    task: JoinHandle<usize>,
}

impl Work {
    /// Changes these objects in turn. A change that is refused is left out: it is not what is looked at.
    pub(crate) fn begin(stage: &Stage, objects: usize, name: fn(usize) -> String) -> Self {
        let (stop, stopped) = watch::channel(false);
        let task = stage.runtime.spawn(change(stage.admin.clone(), objects, name, stopped));
        Self { stop, task }
    }

    /// Ends, and tells how many changes there were.
    ///
    /// # Errors
    /// When the changes have ended early.
    pub(crate) fn end(self, stage: &Stage) -> Result<usize, Error> {
        self.stop.send_replace(true);
        Ok(stage.runtime.block_on(self.task)?)
    }
}

async fn change(
    client: Client,
    objects: usize,
    name: fn(usize) -> String,
    mut stopped: watch::Receiver<bool>,
) -> usize {
    let (mut changes, mut turn) = (0, 0);
    loop {
        tokio::select! {
            biased;
            _ = stopped.wait_for(|stopped| *stopped) => return changes,
            () = tokio::time::sleep(PAUSE) => {}
        }
        turn += 1;
        let body = json!({ "spec": { "workerSpec": { "numOfWorkers": 1 + turn % 20 } } });
        let path = format!("{CELERIES}/{}", name(turn % objects));
        let answer = exchange(&client, Message::new("PATCH", path, MERGE, body.to_string())).await;
        changes += usize::from(answer.is_ok_and(|(code, _)| code == 200));
    }
}
