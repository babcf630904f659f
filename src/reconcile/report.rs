// SPDX-License-Identifier: Apache-2.0
//! What is said of an object: its status, only if it is another one, and the events that come of it.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use k8s_openapi::jiff::Timestamp;
use kube::ResourceExt as _;
use kube::api::DynamicObject;
use kube::runtime::controller::Action;
use tracing::debug;

use super::retry::Error;
use super::{Context, End};
use crate::api::CeleryStatus;
use crate::cluster;
use crate::resolve::Owner;
use crate::rules::NotACelery;
use crate::status::{self, Failure, Observed, Verdict};

/// Says of an object that cannot be read that it cannot; its children stay as they are.
pub(super) async fn park_unreadable(
    context: &Context,
    object: &DynamicObject,
    why: &NotACelery,
) -> Result<(End, Action), Error> {
    let written: Option<CeleryStatus> =
        serde_json::from_value(object.data["status"].clone()).unwrap_or_default();
    let observed = Observed {
        generation: object.metadata.generation,
        verdict: Verdict::Refused,
        findings: &[],
        paused: None,
        applied: None,
        failure: Some(Failure { reason: "Unreadable", message: why.to_string(), stalled: true }),
        previous: written.as_ref(),
    };
    let status = status::status(&observed, &Time(Timestamp::now()));
    report(context, object, written.as_ref(), &status).await?;
    Ok((End::Done, Action::await_change()))
}

/// Says of an object that goes that it does: it may take a while where its children go first.
pub(super) async fn leave(context: &Context, object: &DynamicObject) -> Result<(End, Action), Error> {
    let written: Option<CeleryStatus> =
        serde_json::from_value(object.data["status"].clone()).unwrap_or_default();
    let status = status::leaving(object.metadata.generation, written.as_ref(), &Time(Timestamp::now()));
    if written.as_ref() != Some(&status) {
        match cluster::write_status(&context.client, &owner(object), &status).await {
            Ok(stored) => context.written.put(stored),
            // It may be gone by now, and nobody waits for this.
            Err(error) => debug!(name = object.name_any(), reason = error.reason(), "gone without a word"),
        }
    }
    context.forget_failures(object);
    context.stop_waiting(&object.uid().unwrap_or_default());
    Ok((End::Leaving, Action::await_change()))
}

/// Writes the status, only if it is another one.
pub(super) async fn report(
    context: &Context,
    object: &DynamicObject,
    written: Option<&CeleryStatus>,
    status: &CeleryStatus,
) -> Result<(), Error> {
    if written == Some(status) {
        return Ok(());
    }
    let owner = owner(object);
    let stored = cluster::write_status(&context.client, &owner, status).await?;
    context.written.put(stored);
    for news in status::of_conditions(written, status) {
        context.tell(&owner, news);
    }
    Ok(())
}

fn owner(object: &DynamicObject) -> Owner {
    Owner {
        name: object.name_any(),
        namespace: object.namespace().unwrap_or_default(),
        uid: object.uid().unwrap_or_default(),
        generation: object.metadata.generation,
    }
}
