// SPDX-License-Identifier: Apache-2.0
//! Pools of workers.

use garde::Validate;
use k8s_openapi::api::apps::v1::DeploymentStrategy;
use k8s_openapi::api::core::v1::{
    Container, EnvFromSource, EnvVar, Lifecycle, ResourceRequirements, Volume, VolumeMount,
};
use k8s_openapi::apimachinery::pkg::api::resource::Quantity;
use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::grammar;
use super::json::AnyObject;
use super::open::Open;
use super::worker_choices::{LogLevel, Optimization, StartMethod, WorkerPoolKind};
use super::{GracefulShutdown, PodDisruptionBudget, Probes};

/// A pool of workers with a name of its own.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, Serialize, JsonSchema, Validate)]
#[serde(rename_all = "camelCase")]
#[schemars(extend("required" = ["name"]))]
pub struct WorkerPool {
    /// Name of the pool: lower-case letters, digits and dashes.
    #[serde(default)]
    #[garde(custom(grammar::pool_name))]
    pub name: String,
    /// Everything else, as in `workerSpec`.
    #[serde(flatten)]
    #[garde(dive)]
    pub spec: WorkerSpec,
}

/// A pool of workers: one Deployment.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, Serialize, JsonSchema, Validate)]
#[serde(rename_all = "camelCase")]
pub struct WorkerSpec {
    /// How many worker pods. Ignored while an autoscaler owns the pool; absent: one at first, afterwards as many as
    /// somebody scales it to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[garde(range(min = 0))]
    pub num_of_workers: Option<i32>,
    /// Arguments after `celery -A <celeryApp> worker`, one word per element: `["-Q", "mail,default", "-c", "4"]`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[garde(skip)]
    pub args: Vec<String>,
    /// Options that the application adds through `app.user_options`, such as `--tenant`; they may then stand in `args`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[garde(skip)]
    pub user_options: Vec<String>,
    /// How pods are replaced on a change; absent: rolling, 25 % more pods at once, none missing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[garde(skip)]
    pub rollout_strategy: Option<DeploymentStrategy>,
    /// Requests and limits of the worker's container.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[garde(skip)]
    pub resources: Option<ResourceRequirements>,
    /// Image of this pool; absent: the shared one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[garde(inner(custom(grammar::image_of_its_own)))]
    pub image: Option<String>,
    /// Queues to consume; absent: what the application says, normally `celery`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[garde(skip)]
    pub queues: Vec<String>,
    /// Queues of the application not to consume.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[garde(skip)]
    pub exclude_queues: Vec<String>,
    /// Tasks that one pod runs at once: a number, or `auto` (Celery 5.7). Absent: the cpu limit rounded up, else the
    /// cpu request, else 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[garde(skip)]
    pub concurrency: Option<IntOrString>,
    /// What runs the tasks: `prefork` (when absent), `solo`, `threads`, `gevent`, `eventlet` or `custom`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[garde(skip)]
    pub pool: Option<Open<WorkerPoolKind>>,
    /// Tasks that are fetched in advance for each that runs. Absent: 1 with a queue autoscaler, else Celery's own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[garde(range(min = 1))]
    pub prefetch_multiplier: Option<i32>,
    /// Fetch no task before one can run; Redis only, Celery 5.6.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[garde(skip)]
    pub disable_prefetch: Option<bool>,
    /// What is logged; absent: `INFO`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[garde(skip)]
    pub log_level: Option<Open<LogLevel>>,
    /// Tasks after which a child process is replaced.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[garde(range(min = 1))]
    pub max_tasks_per_child: Option<i32>,
    /// Memory after which a child process is replaced, once its task is done: `200Mi`. A plain number is bytes, not
    /// KiB as for Celery.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[garde(skip)]
    pub max_memory_per_child: Option<Quantity>,
    /// Seconds after which a task is killed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[garde(skip)]
    pub time_limit: Option<f64>,
    /// Seconds after which a task gets an exception that it may catch.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[garde(skip)]
    pub soft_time_limit: Option<f64>,
    /// How tasks are given to child processes: `fair` (when absent) or `default`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[garde(skip)]
    pub optimization: Option<Open<Optimization>>,
    /// Send events about tasks. Absent: with Flower.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[garde(skip)]
    pub task_events: Option<bool>,
    /// Listen to what other workers tell; absent: no.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[garde(skip)]
    pub gossip: Option<bool>,
    /// Ask the other workers for revoked tasks at the start; absent: no.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[garde(skip)]
    pub mingle: Option<bool>,
    /// Send events that the worker lives; absent: yes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[garde(skip)]
    pub heartbeat: Option<bool>,
    /// Seconds between two such events.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[garde(skip)]
    pub heartbeat_interval: Option<i32>,
    /// Name of the worker in Celery; `%h` becomes the pod's name. Absent: `<pool>@%h`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[garde(skip)]
    pub node_name: Option<String>,
    /// How child processes are started: `fork` or `spawn`; Celery 5.7.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[garde(skip)]
    pub pool_start_method: Option<Open<StartMethod>>,
    /// What happens to running tasks when a pod is stopped.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[garde(dive)]
    pub graceful_shutdown: Option<GracefulShutdown>,
    /// How kubelet sees that a worker is up. Absent: a ping at the start, where it is sure to be answered; no readiness
    /// and no liveness probe. No ping by default: with the pool `solo`, without a `broker`, with one that is neither Redis
    /// nor RabbitMQ, with `amqps`, whose authority the ping may not know, with settings or transport options that the
    /// ping does not know, with a node name that a variable holds, and with a `command` that may do more than start
    /// Celery: a script, or a shell with more than `exec celery "$@"`. Beside a `broker` the ping does not load the
    /// application: where that alone sets a key prefix or `control_exchange`, or switches remote control off, nobody
    /// answers and the pod is restarted after five minutes; write `startup: {type: None}` then, or the setting into
    /// `config`. The ping does not read the variables `APP` and `CELERY_APP`, unless one of them is `celeryApp`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[garde(dive)]
    pub probes: Option<Probes>,
    /// How many pods a node drain may take at once; absent: one, when the pool has more than one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[garde(skip)]
    pub pod_disruption_budget: Option<PodDisruptionBudget>,
    /// Environment variables of this pool.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[garde(skip)]
    pub env: Vec<EnvVar>,
    /// Secrets and `ConfigMap`s whose keys become environment variables of this pool.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[garde(skip)]
    pub env_from: Vec<EnvFromSource>,
    /// Volumes of this pool, beside the shared ones.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[garde(skip)]
    pub volumes: Vec<Volume>,
    /// Where volumes appear in this pool's container, beside the shared ones.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[garde(skip)]
    pub volume_mounts: Vec<VolumeMount>,
    /// Containers that run beside the worker.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[garde(skip)]
    pub sidecars: Vec<Container>,
    /// What runs after the start and before the stop of the worker's container.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[garde(skip)]
    pub lifecycle: Option<Lifecycle>,
    /// A pod template laid over the rendered one and over `common.podTemplate`, last; `podTemplate: {spec: {nodeSelector:
    /// {disk: ssd}}}` picks the nodes of this pool. Containers of a worker's pod share one list of processes, so that a
    /// worker which is still importing ends when it is asked to, instead of being killed after the grace period: the
    /// first process of a container ignores SIGTERM until it handles it. `{spec: {shareProcessNamespace: false}}` turns
    /// that off.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[garde(skip)]
    pub pod_template: Option<AnyObject>,
    /// Seconds a pod must be ready before the rollout goes on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[garde(skip)]
    pub min_ready_seconds: Option<i32>,
    /// Seconds after which a rollout that does not move counts as failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[garde(skip)]
    pub progress_deadline_seconds: Option<i32>,
    /// Old `ReplicaSet`s to keep.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[garde(skip)]
    pub revision_history_limit: Option<i32>,
}
