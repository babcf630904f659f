// SPDX-License-Identifier: Apache-2.0
//! The HorizontalPodAutoscaler of a Deployment that follows cpu and memory only.

use k8s_openapi::api::autoscaling::v2::{
    CrossVersionObjectReference, HorizontalPodAutoscaler, HorizontalPodAutoscalerSpec, MetricSpec,
    MetricTarget, ResourceMetricSource,
};

use super::manifest::{ChildKind, Manifest};
use super::{Target, metadata};
use crate::resolve::{Resolved, ResourceMetric, ResourceTarget};

pub(super) fn hpa(resolved: &Resolved, target: &Target<'_>) -> Manifest {
    let object = HorizontalPodAutoscaler {
        metadata: metadata(resolved, &target.name, Some(target.component), target.pool),
        spec: Some(HorizontalPodAutoscalerSpec {
            min_replicas: Some(target.scaler.min),
            max_replicas: target.scaler.max,
            scale_target_ref: CrossVersionObjectReference {
                api_version: Some("apps/v1".to_owned()),
                kind: "Deployment".to_owned(),
                name: target.name.clone(),
            },
            metrics: Some(target.scaler.resources.iter().map(metric).collect()),
            behavior: target.scaler.behavior.clone(),
        }),
        status: None,
    };
    Manifest::new(ChildKind::HorizontalPodAutoscaler, &target.name, &object)
}

fn metric(metric: &ResourceMetric) -> MetricSpec {
    let target = match &metric.target {
        ResourceTarget::Utilization(percent) => MetricTarget {
            type_: "Utilization".to_owned(),
            average_utilization: Some(*percent),
            ..MetricTarget::default()
        },
        ResourceTarget::AverageValue(amount) => MetricTarget {
            type_: "AverageValue".to_owned(),
            average_value: Some(amount.clone()),
            ..MetricTarget::default()
        },
    };
    MetricSpec {
        type_: "Resource".to_owned(),
        resource: Some(ResourceMetricSource { name: metric.name.to_owned(), target }),
        ..MetricSpec::default()
    }
}
