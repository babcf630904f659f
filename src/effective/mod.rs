// SPDX-License-Identifier: Apache-2.0
//! What a spec comes to: what Celery will run with, where fields, arguments, variables and choices of the operator's own
//! say it together.
//!
//! The rules judge by it and the children are made from it, so that both mean the same worker. An answer is an
//! [`Effective`] value: nobody says anything, somebody says something that cannot be read here (a variable of kubelet's,
//! a Secret, a text that the option does not take), or this is it. Who asks decides what the first two mean: a rule is
//! silent, a default is left out.
//!
//! Lists of variables (`envFrom`) and templates laid over the pods are not looked into: what they bring may win over
//! what is told here.

mod beat;
pub mod broker;
pub mod flower;
mod pool;
pub mod program;

use k8s_openapi::api::core::v1::EnvVar;

use crate::api::Common;
use crate::celery::expansion::expands;
use crate::celery::version::Target;

pub use crate::celery::reading::Effective;
pub use beat::{Beat, Written};
pub use pool::{APP, Pool, names_the_app};

/// Which Celery will run.
#[must_use]
pub fn celery(common: &Common) -> Target {
    Target::of(common.celery_version.as_deref())
}

/// A text that kubelet does not change.
fn literal(text: &str) -> Effective<&str> {
    if expands(text) { Effective::Unclear } else { Effective::Is(text) }
}

/// What a variable of a container says, the container's own list first; of two of a name the last one counts. An empty
/// one says nothing.
pub(crate) fn variable<'a>(name: &str, own: &'a [EnvVar], shared: &'a [EnvVar]) -> Effective<&'a str> {
    let find = |list: &'a [EnvVar]| list.iter().rfind(|variable| variable.name == name);
    match find(own).or_else(|| find(shared)) {
        None => Effective::Absent,
        Some(EnvVar { value_from: Some(_), .. }) => Effective::Unclear,
        Some(EnvVar { value, .. }) => match value.as_deref().unwrap_or_default() {
            "" => Effective::Absent,
            text => literal(text),
        },
    }
}
