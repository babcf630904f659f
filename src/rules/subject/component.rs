// SPDX-License-Identifier: Apache-2.0
//! Workers, beat and Flower as far as they are alike.

use k8s_openapi::api::core::v1::{EnvFromSource, EnvVar, ResourceRequirements, Volume};

use crate::api::{AnyObject, BeatSpec, FlowerSpec, WorkerSpec};
use crate::names;

/// A component and where it stands: what rules about every pod look at.
#[derive(Clone, Debug)]
pub(in crate::rules) struct Component<'a> {
    /// `spec.workerSpec`, `spec.workerPools[2]`, `spec.beatSpec` or `spec.flowerSpec`.
    pub(in crate::rules) path: String,
    /// Its fields.
    pub(in crate::rules) part: Part<'a>,
}

/// The fields of a component.
#[derive(Clone, Copy, Debug)]
pub(in crate::rules) enum Part<'a> {
    /// A worker pool.
    Worker(&'a WorkerSpec),
    /// Beat.
    Beat(&'a BeatSpec),
    /// Flower.
    Flower(&'a FlowerSpec),
}

impl Part<'_> {
    /// The name of the operator's own container in its pods.
    pub(in crate::rules) fn own_container(self) -> &'static str {
        match self {
            Self::Worker(_) => names::WORKER_CONTAINER,
            Self::Beat(_) => names::BEAT_CONTAINER,
            Self::Flower(_) => names::FLOWER_CONTAINER,
        }
    }
}

impl<'a> Component<'a> {
    /// Its requests and limits.
    pub(in crate::rules) fn resources(&self) -> Option<&'a ResourceRequirements> {
        match self.part {
            Part::Worker(worker) => worker.resources.as_ref(),
            Part::Beat(beat) => beat.resources.as_ref(),
            Part::Flower(flower) => flower.resources.as_ref(),
        }
    }

    /// Its own environment variables, without the shared ones.
    pub(in crate::rules) fn env(&self) -> &'a [EnvVar] {
        match self.part {
            Part::Worker(worker) => &worker.env,
            Part::Beat(beat) => &beat.env,
            Part::Flower(flower) => &flower.env,
        }
    }

    /// Its own sources of environment variables, without the shared ones.
    pub(in crate::rules) fn env_from(&self) -> &'a [EnvFromSource] {
        match self.part {
            Part::Worker(worker) => &worker.env_from,
            Part::Beat(beat) => &beat.env_from,
            Part::Flower(flower) => &flower.env_from,
        }
    }

    /// Its arguments.
    pub(in crate::rules) fn args(&self) -> &'a [String] {
        match self.part {
            Part::Worker(worker) => &worker.args,
            Part::Beat(beat) => &beat.args,
            Part::Flower(flower) => &flower.args,
        }
    }

    /// Its own volumes, without the shared ones.
    pub(in crate::rules) fn volumes(&self) -> &'a [Volume] {
        match self.part {
            Part::Worker(worker) => &worker.volumes,
            Part::Beat(_) | Part::Flower(_) => &[],
        }
    }

    /// Whether the shared volumes appear in its pods.
    pub(in crate::rules) fn has_shared_volumes(&self) -> bool {
        match self.part {
            Part::Flower(flower) => flower.inherit_volumes.unwrap_or(true),
            Part::Worker(_) | Part::Beat(_) => true,
        }
    }

    /// What is laid over its pods.
    pub(in crate::rules) fn pod_template(&self) -> Option<&'a AnyObject> {
        match self.part {
            Part::Worker(worker) => worker.pod_template.as_ref(),
            Part::Beat(beat) => beat.pod_template.as_ref(),
            Part::Flower(flower) => flower.pod_template.as_ref(),
        }
    }
}
