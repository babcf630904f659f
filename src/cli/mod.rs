// SPDX-License-Identifier: Apache-2.0
//! The command line.

mod catalogue;
mod input;
mod lint;
mod print;
mod render;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, CommandFactory as _, Parser, Subcommand, ValueEnum};

use crate::manifests::{IMAGE, Installation, NAME, NAMESPACE, installation_name, namespace_name};
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
    /// Say what the webhook would say about Celery objects in files, with the lines to mend.
    ///
    /// Objects of other kinds in the input (Secrets, Namespaces and so on) are what the rules look into; nothing is read
    /// from a cluster, and no value of a Secret is printed.
    ///
    /// Exit code: 0 nothing would be refused, 1 something would, 2 something could not be read. Input without a single
    /// Celery is 0 too, since folders with other manifests are checked alike; a line on standard error says so.
    Lint(Lint),
    /// Print the objects that the operator would create, as YAML, without a credential out of any Secret.
    ///
    /// Findings go to standard error; of an object that would be refused nothing is printed. What only a cluster knows
    /// (the owner's identity and the hash that is made with it) is left out.
    ///
    /// No credential out of a Secret is printed, and none is needed: REDACTED stands for each, whether its Secret is in the
    /// input or not. A Secret that holds the broker's whole URL has to be in the input for what depends on it to be printed,
    /// with any user and password: of a URL the rest appears as it is, scheme, host, port and path.
    ///
    /// What is written into the Celery itself is printed as the objects will hold it: a password in broker.url or in the
    /// value of a variable can be read here too. A warning tells of each that is seen to be one. Options of Flower that
    /// are credentials appear as REDACTED.
    ///
    /// Exit code: 0 nothing would be refused, 1 something would, 2 something could not be read.
    Render(Render),
    /// Say what a rule is about, with a bad and a good example.
    ///
    /// Exit code: 2 when there is no such rule.
    Explain(Explain),
    /// List the rules.
    Rules(Rules),
    /// Print the CustomResourceDefinition.
    Crd,
    /// Print the manifests that install the operator.
    Manifests(Manifests),
}

/// How the operator runs. Every flag is also an environment variable.
#[derive(Clone, Debug, Args)]
pub struct Run {
    /// What this process does.
    #[arg(long, env = "CELERY_OPERATOR_ROLE", value_enum, default_value_t)]
    pub role: Role,
    /// Address of the webhooks.
    #[arg(long, env = "CELERY_OPERATOR_WEBHOOK_ADDRESS", default_value = "0.0.0.0:9443")]
    pub webhook_address: SocketAddr,
    /// Address of /livez, /readyz and /metrics.
    #[arg(long, env = "CELERY_OPERATOR_ADMIN_ADDRESS", default_value = "0.0.0.0:8080")]
    pub admin_address: SocketAddr,
    /// Names and addresses under which the API server reaches the webhooks; absent: the names of the Service. May be
    /// given several times.
    #[arg(long, env = "CELERY_OPERATOR_WEBHOOK_NAMES", value_delimiter = ',')]
    pub webhook_name: Vec<String>,
    /// Service that leads to the webhooks; absent: NAME-webhook.
    #[arg(long, env = "CELERY_OPERATOR_WEBHOOK_SERVICE")]
    pub webhook_service: Option<String>,
    /// Name of this operator, if a cluster has several. Its Lease is called NAME, its Secret NAME-webhook-cert.
    #[arg(long, env = "CELERY_OPERATOR_NAME", default_value = NAME, value_parser = installation_name)]
    pub name: String,
    /// What the names of its webhook configurations begin with, if namespaces have operators of one name; absent: NAME.
    /// They are called CLUSTER_WIDE_NAME-mutating and CLUSTER_WIDE_NAME-validating.
    #[arg(long, env = "CELERY_OPERATOR_CLUSTER_WIDE_NAME")]
    pub cluster_wide_name: Option<String>,
    /// Namespace of the operator: here it keeps its certificates.
    #[arg(long, env = "CELERY_OPERATOR_NAMESPACE", default_value = NAMESPACE, value_parser = namespace_name)]
    pub namespace: String,
    /// Look after these namespaces only. May be given several times.
    #[arg(long, env = "CELERY_OPERATOR_WATCH_NAMESPACES", value_delimiter = ',', value_parser = namespace_name)]
    pub watch_namespace: Vec<String>,
    /// Folder with the certificate of the webhooks: `tls.crt`, `tls.key` and, if the operator is to publish it, `ca.crt`,
    /// as cert-manager writes them into a Secret. Changes are followed. Absent: the operator issues certificates itself.
    #[arg(long, env = "CELERY_OPERATOR_CERTIFICATE_FILES", value_name = "FOLDER")]
    pub certificate_files: Option<PathBuf>,
    /// Days that a serving certificate lives; it is renewed after two thirds.
    #[arg(long, env = "CELERY_OPERATOR_CERTIFICATE_DAYS", default_value_t = 90, value_parser = clap::value_parser!(u32).range(1..=3650))]
    pub certificate_days: u32,
    /// Seconds that a serving certificate lives, instead of days: to watch renewals.
    #[arg(long, env = "CELERY_OPERATOR_CERTIFICATE_SECONDS", hide = true)]
    pub certificate_seconds: Option<u64>,
    /// Seconds after which another replica takes over from one that has died. Every replica serves webhooks; one at a
    /// time writes.
    #[arg(long, env = "CELERY_OPERATOR_LEASE_SECONDS", default_value_t = 15, value_parser = clap::value_parser!(u16).range(1..=3600))]
    pub lease_seconds: u16,
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

impl Run {
    /// Which operator of the cluster this is.
    #[must_use]
    pub fn installation(&self) -> Installation {
        installation(&self.namespace, &self.name, self.cluster_wide_name.as_deref(), &self.watch_namespace)
    }

    /// Service that leads to the webhooks.
    #[must_use]
    pub fn service(&self) -> String {
        self.webhook_service.clone().unwrap_or_else(|| self.installation().service())
    }
}

fn installation(
    namespace: &str,
    name: &str,
    cluster_wide_name: Option<&str>,
    watched: &[String],
) -> Installation {
    Installation {
        cluster_wide_name: cluster_wide_name.unwrap_or(name).to_owned(),
        watched: watched.to_vec(),
        ..Installation::new(namespace, name)
    }
}

/// What a process does.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Role {
    /// Both.
    #[default]
    All,
    /// Serve webhooks.
    Webhook,
    /// Reconcile.
    Controller,
}

impl Role {
    /// Whether it serves webhooks.
    #[must_use]
    pub fn serves(self) -> bool {
        self != Self::Controller
    }

    /// Whether it reconciles.
    #[must_use]
    pub fn writes(self) -> bool {
        self != Self::Webhook
    }

    /// The word on the command line.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::All => "all",
            Self::Webhook => "webhook",
            Self::Controller => "controller",
        }
    }
}

/// What is read.
#[derive(Debug, Args)]
struct Documents {
    /// Files, folders (every .yaml, .yml and .json below them, hidden ones apart), or - for standard input.
    #[arg(value_name = "PATH", required = true)]
    paths: Vec<PathBuf>,
    /// Namespace of objects that name none.
    #[arg(short, long, default_value = "default")]
    namespace: String,
}

/// What is judged, and how that is told.
#[derive(Debug, Args)]
struct Lint {
    #[command(flatten)]
    documents: Documents,
    #[command(flatten)]
    cluster: Cluster,
    /// Form of the findings.
    #[arg(short, long, value_enum, default_value_t)]
    output: lint::Output,
}

/// What is rendered.
#[derive(Debug, Args)]
struct Render {
    #[command(flatten)]
    documents: Documents,
    #[command(flatten)]
    cluster: Cluster,
}

/// What the cluster lacks.
#[derive(Clone, Copy, Debug, Args)]
struct Cluster {
    /// The cluster is one without KEDA.
    #[arg(long)]
    without_keda: bool,
    /// The cluster is one without the Prometheus operator.
    #[arg(long)]
    without_monitors: bool,
}

/// Which rule.
#[derive(Debug, Args)]
struct Explain {
    /// Id of the rule, as messages end with it: C04.
    #[arg(value_name = "RULE")]
    rule: String,
}

/// How the rules are listed.
#[derive(Debug, Args)]
struct Rules {
    /// Form of the list.
    #[arg(short, long, value_enum, default_value_t)]
    output: catalogue::Output,
}

/// Which manifests, and for where.
#[derive(Debug, Args)]
struct Manifests {
    /// Which.
    #[arg(value_enum)]
    which: Which,
    /// Namespace of the operator.
    #[arg(long, default_value = NAMESPACE, value_parser = namespace_name)]
    namespace: String,
    /// Name of the operator, if a cluster has several.
    #[arg(long, default_value = NAME, value_parser = installation_name)]
    name: String,
    /// What the names of its webhook configurations and cluster roles begin with, if namespaces have operators of one
    /// name; absent: NAME.
    #[arg(long)]
    cluster_wide_name: Option<String>,
    /// Look after these namespaces only, and may do something in these only. May be given several times.
    #[arg(long, value_delimiter = ',', value_parser = namespace_name)]
    watch_namespace: Vec<String>,
    /// Image of the operator.
    #[arg(long, default_value = IMAGE)]
    image: String,
    /// Where the API server reaches the webhooks of an operator that runs outside the cluster, `https://127.0.0.1:9443`;
    /// absent: the Service.
    #[arg(long)]
    url: Option<String>,
}

impl Manifests {
    fn installation(&self) -> Installation {
        installation(&self.namespace, &self.name, self.cluster_wide_name.as_deref(), &self.watch_namespace)
    }
}

/// Which manifests.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Which {
    /// The namespace.
    Namespace,
    /// Service account and roles.
    Rbac,
    /// The Deployment, its Services, disruption budget and network policy.
    Manager,
    /// Webhook configurations.
    Webhooks,
    /// Everything, the CustomResourceDefinition and the namespace included; with a URL, what the cluster needs of an
    /// operator that runs outside it.
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
        Command::Lint(arguments) => Task::Done(lint::run(&arguments)),
        Command::Render(arguments) => Task::Done(render::run(&arguments)),
        Command::Explain(arguments) => Task::Done(catalogue::explain(&arguments.rule)),
        Command::Rules(arguments) => Task::Done(catalogue::list(arguments.output)),
        Command::Crd => Task::Done(print::documents(&[print::crd()])),
        Command::Manifests(manifests) => Task::Done(print::documents(&print::manifests(&manifests))),
    }
}

/// The commands with their flags, as a reference needs them.
#[must_use]
pub fn definition() -> clap::Command {
    Cli::command()
}
