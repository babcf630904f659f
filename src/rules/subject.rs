// SPDX-License-Identifier: Apache-2.0
//! What the rules look at: the object, what it replaces, and what several rules would otherwise read twice.

use crate::api::{Broker, Celery, Common, MetricName, ScaleTarget};
use crate::celery::broker_url::{self, Defect, Endpoint};

/// The object under judgement.
#[derive(Debug)]
pub(super) struct Subject<'a> {
    /// The object.
    pub(super) object: &'a Celery,
    /// What it replaces.
    pub(super) old: Option<&'a Celery>,
    /// The elements of `spec.common.broker.url`, read once.
    pub(super) urls: Vec<Result<Endpoint, Defect>>,
}

impl<'a> Subject<'a> {
    pub(super) fn new(object: &'a Celery, old: Option<&'a Celery>) -> Self {
        let url = object.spec.common.broker.as_ref().and_then(|broker| broker.url.as_deref());
        Self { object, old, urls: url.map(broker_url::parse).unwrap_or_default() }
    }

    /// The shared part of the spec.
    pub(super) fn common(&self) -> &'a Common {
        &self.object.spec.common
    }

    /// The broker, when there is one.
    pub(super) fn broker(&self) -> Option<&'a Broker> {
        self.common().broker.as_ref()
    }

    /// The autoscalers with their paths.
    pub(super) fn targets(&self) -> impl Iterator<Item = (String, &'a ScaleTarget)> {
        let targets = &self.object.spec.scale_target_ref;
        targets.iter().enumerate().map(|(index, target)| (format!("spec.scaleTargetRef[{index}]"), target))
    }

    /// The path of the first `task_queue_length` metric.
    pub(super) fn queue_metric(&self) -> Option<String> {
        self.targets().find_map(|(path, target)| {
            let index =
                target.metrics.iter().position(|m| m.name.known() == Some(MetricName::TaskQueueLength))?;
            Some(format!("{path}.metrics[{index}]"))
        })
    }
}
