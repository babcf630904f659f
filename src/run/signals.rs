// SPDX-License-Identifier: Apache-2.0
//! What asks the process to end, and how it winds down.

use std::time::Duration;

use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::watch;
use tracing::info;

use crate::admin::Gates;

/// Waits until the process is asked to end, then until requests go elsewhere: who sends them learns of it by the closed
/// gate, and not at once. Being asked again cuts it short.
pub(super) async fn wind_down(
    drain: Duration,
    signals: &mut Signals,
    gates: &watch::Sender<Gates>,
    stop: &watch::Sender<bool>,
) {
    signals.next().await;
    info!(seconds = drain.as_secs(), "asked to end: serving webhooks until requests go elsewhere");
    gates.send_modify(|gates| gates.ending = true);
    let _ = stop.send(true);
    tokio::select! {
        () = tokio::time::sleep(drain) => {}
        () = signals.next() => info!("asked again"),
    }
    info!("finishing what is in flight");
}

/// Completes when the process was asked to end.
pub(super) async fn asked(mut stopped: watch::Receiver<bool>) {
    let _ = stopped.wait_for(|stopped| *stopped).await;
}

/// What asks the process to end: SIGTERM and SIGINT, from its first moment on.
pub(super) struct Signals {
    terminate: Signal,
    interrupt: Signal,
}

impl Signals {
    pub(super) fn new() -> std::io::Result<Self> {
        Ok(Self { terminate: signal(SignalKind::terminate())?, interrupt: signal(SignalKind::interrupt())? })
    }

    async fn next(&mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
    }
}
