// SPDX-License-Identifier: Apache-2.0
//! The types users write and read: the Celery kind, its parts and its status.
//!
//! Types only. They are deliberately lenient where a user can be wrong ([`Open`] words, optional fields that the
//! schema requires), so that one typo reaches the rules together with every other mistake instead of ending the
//! decoding; the schema made from the same types is strict.

mod autoscale;
mod broker;
mod celery;
pub mod crd;
mod flower;
mod grammar;
pub mod image;
pub mod limits;
mod open;
mod status;
mod worker;

pub use autoscale::{Metric, MetricName, MetricTarget, ScaleKind, ScaleTarget, TargetType};
pub use broker::{Broker, RabbitMqBroker, RedisBroker, SecretKeyRef, SqsBroker};
pub use celery::{Celery, CelerySpec, Common, ImagePullPolicy};
pub use flower::{FlowerSpec, ServiceType};
pub(crate) use grammar::is_dns_label;
pub use open::{Open, Word};
pub use status::{
    Autoscaler, BrokerStatus, CeleryStatus, Child, Condition, EffectiveStatus, FindingStatus, FlowerStatus,
    PoolStatus,
};
pub use worker::WorkerSpec;

pub use crate::names::DEFAULT_POOL;

/// API group of every kind of this operator.
pub const GROUP: &str = "celeryproject.org";
/// The one API version.
pub const VERSION: &str = "v1alpha1";
/// `group/version`, as objects carry it.
pub const API_VERSION: &str = "celeryproject.org/v1alpha1";
