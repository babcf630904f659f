// SPDX-License-Identifier: Apache-2.0
//! The types users write and read: the Celery kind, its parts and its status.
//!
//! Types only. They are deliberately lenient where a user can be wrong ([`Open`] words, optional fields that the
//! schema requires), so that one typo reaches the rules together with every other mistake instead of ending the
//! decoding; the schema made from the same types is strict.

pub mod amount;
mod autoscale;
mod backend;
mod beat;
mod broker;
mod broker_parts;
mod celery;
mod common;
pub mod crd;
mod flower;
mod flower_auth;
mod grammar;
pub mod image;
mod json;
mod lifecycle;
pub mod limits;
mod open;
mod status;
mod worker;
mod worker_choices;

pub use autoscale::{
    Fallback, FallbackBehavior, Metric, MetricName, MetricTarget, ScaleKind, ScaleTarget, TargetType,
    TriggerAuthenticationKind, TriggerAuthenticationRef,
};
pub use backend::ResultBackend;
pub use beat::{BEAT_FOLDER, BeatPersistence, BeatSpec};
pub use broker::{Broker, SecretKeyRef};
pub use broker_parts::{BrokerTls, CertReqs, RabbitMqBroker, RedisBroker, RedisSentinel, SqsBroker};
pub use celery::{Celery, CelerySpec};
pub use common::{Common, ImagePullPolicy, Monitoring};
pub use flower::{
    FLOWER_FOLDER, FlowerIngress, FlowerPersistence, FlowerSpec, FlowerTls, PathType, ServiceType,
    SessionAffinity,
};
pub use flower_auth::{BasicAuth, FlowerAuth, OAuth, OAuthProvider};
pub(crate) use grammar::{is_dns_label, is_label, is_label_value, is_object_name, is_qualified};
pub use json::{AnyObject, Anything};
pub use lifecycle::{
    GracefulShutdown, PodDisruptionBudget, Probe, ProbeRole, ProbeType, Probes, ShutdownMode,
};
pub use open::{Open, Word};
pub use status::{
    Autoscaler, BeatStatus, BrokerStatus, CeleryStatus, Child, Condition, EffectiveStatus, FindingStatus,
    FlowerStatus, PoolStatus,
};
pub use worker::{WorkerPool, WorkerSpec};
pub use worker_choices::{LogLevel, Optimization, StartMethod, WorkerPoolKind};

pub use crate::names::DEFAULT_POOL;

/// API group of every kind of this operator.
pub const GROUP: &str = "celeryproject.org";
/// The one API version.
pub const VERSION: &str = "v1alpha1";
/// `group/version`, as objects carry it.
pub const API_VERSION: &str = "celeryproject.org/v1alpha1";
