// SPDX-License-Identifier: Apache-2.0
//! The command line.

mod print;

use std::net::SocketAddr;
use std::process::ExitCode;

use clap::{Args, Parser, Subcommand, ValueEnum};

use crate::manifests::{NAMESPACE, SERVICE};
use crate::telemetry::{self, LogFilter, LogFormat};

/// Celery on Kubernetes: refused when wrong at apply time, run without losing a task afterwards.
#[derive(Debug, Parser)]
#[command(version, max_term_width = 110)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run the operator: webhooks and reconciler.
    Run(Run),
    /// Print the CustomResourceDefinition.
    Crd,
    /// Print the manifests that install the operator.
    Manifests(Manifests),
}

/// How the operator runs. Every flag is also an environment variable.
#[derive(Clone, Debug, Args)]
pub struct Run {
    /// Address of the webhooks.
    #[arg(long, env = "CELERY_OPERATOR_WEBHOOK_ADDRESS", default_value = "0.0.0.0:9443")]
    pub webhook_address: SocketAddr,
    /// Address of /livez and /readyz.
    #[arg(long, env = "CELERY_OPERATOR_ADMIN_ADDRESS", default_value = "0.0.0.0:8080")]
    pub admin_address: SocketAddr,
    /// Names and addresses under which the API server reaches the webhooks; absent: the names of the Service. May be
    /// given several times.
    #[arg(long, env = "CELERY_OPERATOR_WEBHOOK_NAMES", value_delimiter = ',')]
    pub webhook_name: Vec<String>,
    /// Service that leads to the webhooks.
    #[arg(long, env = "CELERY_OPERATOR_WEBHOOK_SERVICE", default_value = SERVICE)]
    pub webhook_service: String,
    /// Namespace of the operator: here it keeps its certificates.
    #[arg(long, env = "CELERY_OPERATOR_NAMESPACE", default_value = NAMESPACE)]
    pub namespace: String,
    /// Look after these namespaces only. May be given several times.
    #[arg(long, env = "CELERY_OPERATOR_WATCH_NAMESPACES", value_delimiter = ',')]
    pub watch_namespace: Vec<String>,
    /// Days that a serving certificate lives; it is renewed after two thirds.
    #[arg(long, env = "CELERY_OPERATOR_CERTIFICATE_DAYS", default_value_t = 90, value_parser = clap::value_parser!(u32).range(1..=3650))]
    pub certificate_days: u32,
    /// Seconds that a serving certificate lives, instead of days: to watch renewals.
    #[arg(long, env = "CELERY_OPERATOR_CERTIFICATE_SECONDS", hide = true)]
    pub certificate_seconds: Option<u64>,
    /// Seconds that the webhooks go on being served after SIGTERM, until nobody sends requests here any more; a second
    /// signal ends the wait.
    #[arg(long, env = "CELERY_OPERATOR_DRAIN_SECONDS", default_value_t = 10, value_parser = clap::value_parser!(u16).range(0..=3600))]
    pub drain_seconds: u16,
    /// Form of the log lines.
    #[arg(long, env = "CELERY_OPERATOR_LOG_FORMAT", value_enum, default_value_t)]
    pub log_format: LogFormat,
    /// What is logged: `info`, `debug`, or a filter such as `celery_operator=debug,warn`.
    #[arg(long, env = "CELERY_OPERATOR_LOG", default_value = "info")]
    pub log: LogFilter,
}

/// Which manifests, and for where.
#[derive(Debug, Args)]
struct Manifests {
    /// Which.
    #[arg(value_enum)]
    which: Which,
    /// Namespace of the operator.
    #[arg(long, default_value = NAMESPACE)]
    namespace: String,
    /// Where the API server reaches the webhooks outside the cluster, `https://127.0.0.1:9443`; absent: the Service.
    #[arg(long)]
    url: Option<String>,
}

/// Which manifests.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Which {
    /// Service account and roles.
    Rbac,
    /// Webhook configurations.
    Webhooks,
    /// Everything, the CustomResourceDefinition included.
    All,
}

/// What the arguments ask for.
#[derive(Clone, Debug)]
pub enum Task {
    /// To run the operator.
    Run(Box<Run>),
    /// Nothing more: it is done, with this outcome.
    Done(ExitCode),
}

/// Reads the arguments of the process, and does what needs no cluster.
#[must_use]
pub fn task() -> Task {
    match Cli::parse().command {
        Command::Run(run) => {
            telemetry::start(run.log_format, &run.log);
            Task::Run(Box::new(run))
        }
        Command::Crd => Task::Done(print::documents(&[print::crd()])),
        Command::Manifests(manifests) => Task::Done(print::documents(&print::manifests(&manifests))),
    }
}
