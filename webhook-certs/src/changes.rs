// SPDX-License-Identifier: Apache-2.0
//! Word that something may have changed: the Secret, the files or a configuration.
//!
//! Only a reason to look; what is true is always read afresh. Watches name one object each, so that permissions can
//! be bound to names, and ask for metadata only, so that the Secret's content does not travel for it.

use std::time::Duration;

use futures::stream::{BoxStream, SelectAll, StreamExt as _, select_all};
use k8s_openapi::api::admissionregistration::v1::{
    MutatingWebhookConfiguration, ValidatingWebhookConfiguration,
};
use k8s_openapi::api::core::v1::Secret;
use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;
use kube::core::PartialObjectMeta;
use kube::runtime::WatchStreamExt as _;
use kube::runtime::utils::Backoff;
use kube::runtime::watcher::{self, watcher};
use kube::{Api, Client};

use crate::config::Source;
use crate::folder;
use crate::inject::{Kind, Target};

/// First pause after a watch broke.
const FIRST_PAUSE: Duration = Duration::from_millis(250);
/// Longest pause after a watch broke. kube's default of 30 s would leave changes unnoticed for longer than healing
/// may take.
const LONGEST_PAUSE: Duration = Duration::from_secs(3);

/// An item for each time a look is worth it; never ends.
pub(crate) type Changes = SelectAll<BoxStream<'static, ()>>;

/// Watches the source and every target.
pub(crate) fn changes(client: &Client, source: &Source, targets: &[Target]) -> Changes {
    let source = match source {
        Source::Issued(issuing) => {
            let api: Api<PartialObjectMeta<Secret>> =
                Api::namespaced(client.clone(), &issuing.secret.namespace);
            of(api, &issuing.secret.name)
        }
        Source::Files(files) => folder::changes(files.folder.clone()),
    };
    let targets = targets.iter().map(|target| match target.kind {
        Kind::Mutating => of::<MutatingWebhookConfiguration>(Api::all(client.clone()), &target.name),
        Kind::Validating => of::<ValidatingWebhookConfiguration>(Api::all(client.clone()), &target.name),
        Kind::Conversion => of::<CustomResourceDefinition>(Api::all(client.clone()), &target.name),
    });
    select_all(std::iter::once(source).chain(targets))
}

/// Watches the one object called `name`.
fn of<K>(api: Api<PartialObjectMeta<K>>, name: &str) -> BoxStream<'static, ()>
where
    K: kube::Resource<DynamicType = ()>
        + Clone
        + std::fmt::Debug
        + Send
        + serde::de::DeserializeOwned
        + 'static,
{
    let config = watcher::Config::default().fields(&format!("metadata.name={name}"));
    watcher(api, config).backoff(Pauses::default()).filter_map(worth_a_look).boxed()
}

/// Whether an event may mean a change. The begin of a listing says nothing yet; its end does, as it also tells that
/// the object is gone.
async fn worth_a_look<K>(event: Result<watcher::Event<PartialObjectMeta<K>>, watcher::Error>) -> Option<()> {
    match event {
        Ok(watcher::Event::Init | watcher::Event::InitApply(_)) => None,
        Ok(_) => Some(()),
        Err(error) => {
            tracing::debug!(%error, "a watch broke and is begun anew");
            Some(())
        }
    }
}

/// Pauses that double up to [`LONGEST_PAUSE`].
#[derive(Debug)]
pub(crate) struct Pauses(Duration);

impl Default for Pauses {
    fn default() -> Self {
        Self(FIRST_PAUSE)
    }
}

impl Iterator for Pauses {
    type Item = Duration;

    fn next(&mut self) -> Option<Duration> {
        let pause = self.0;
        self.0 = (pause * 2).min(LONGEST_PAUSE);
        Some(pause)
    }
}

impl Backoff for Pauses {
    fn reset(&mut self) {
        *self = Self::default();
    }
}
