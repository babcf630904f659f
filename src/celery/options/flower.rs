// SPDX-License-Identifier: Apache-2.0
//! The options of Flower, and those that tornado adds.

use crate::celery::version::Version;

/// What the text behind `=` becomes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TornadoType {
    /// Any text.
    Text,
    /// An integer as Python reads one.
    Int,
    /// A number as Python reads one.
    Float,
    /// False for `false`, `f` and `0` in any case, true for everything else; true without a value.
    Bool,
    /// Texts between commas.
    Texts,
    /// Numbers between commas.
    Floats,
    /// Nothing: only a configuration file can set it, a text is refused.
    Function,
}

/// A minor release of Flower whose options are known, oldest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Release {
    /// 1.2; stands for 1.x.
    V1_2,
    /// 2.0
    V2_0,
    /// 2.2; stands for 2.1 too, where `read_only` came.
    V2_2,
}

impl Release {
    /// Every known release, oldest first.
    pub const ALL: [Self; 3] = [Self::V1_2, Self::V2_0, Self::V2_2];
    /// The newest known release.
    pub const NEWEST: Self = Self::V2_2;

    /// The release whose options a version has; the newest for one that is newer.
    #[must_use]
    pub fn of(version: Version) -> Self {
        match (version.major, version.minor) {
            (0 | 1, _) => Self::V1_2,
            (2, 0) => Self::V2_0,
            _ => Self::NEWEST,
        }
    }
}

/// One option. `-` and `_` in names are the same.
#[derive(Debug, PartialEq, Eq)]
pub struct Spec {
    /// Name without dashes in front, with `_`.
    pub name: &'static str,
    /// What its value becomes.
    pub kind: TornadoType,
    /// First release that has it.
    pub since: Release,
    /// Last release that has it; `None` while it lives.
    pub until: Option<Release>,
    /// What it does, in one line.
    pub meaning: &'static str,
    /// Whether its value is a credential, or may hold one.
    pub is_secret: bool,
}

const fn row(name: &'static str, kind: TornadoType, meaning: &'static str) -> Spec {
    Spec { name, kind, since: Release::V1_2, until: None, meaning, is_secret: false }
}

const fn secret(name: &'static str, kind: TornadoType, meaning: &'static str) -> Spec {
    Spec { is_secret: true, ..row(name, kind, meaning) }
}

impl Spec {
    /// Whether a release has the option.
    #[must_use]
    pub fn is_in(&self, release: Release) -> bool {
        release >= self.since && self.until.is_none_or(|until| release <= until)
    }

    /// Whether a text for it is to be hidden. An address without user information is not.
    #[must_use]
    pub fn hides(&self, text: &str) -> bool {
        let is_open = self.name == "broker_api" && !text.contains('@');
        self.is_secret && !text.is_empty() && !is_open
    }

    /// As people write it: `--url_prefix`.
    #[must_use]
    pub fn flag(&self) -> String {
        format!("--{}", self.name)
    }

    /// The variable that sets it too: `FLOWER_URL_PREFIX`.
    #[must_use]
    pub fn variable(&self) -> String {
        format!("FLOWER_{}", self.name.to_ascii_uppercase())
    }
}

/// Every option of every release.
pub static OPTIONS: &[Spec] = &[
    row("port", TornadoType::Int, "port to listen on"),
    row("address", TornadoType::Text, "address to listen on"),
    row("unix_socket", TornadoType::Text, "socket to listen on instead of a port"),
    row("debug", TornadoType::Bool, "logs more"),
    row("inspect_timeout", TornadoType::Float, "milliseconds to wait for the answers of workers"),
    row("auth", TornadoType::Text, "pattern of the mail addresses that may enter"),
    secret("basic_auth", TornadoType::Texts, "user:password pairs that may enter"),
    row("oauth2_key", TornadoType::Text, "client id at the provider"),
    secret("oauth2_secret", TornadoType::Text, "client secret at the provider"),
    row("oauth2_redirect_uri", TornadoType::Text, "where the provider sends people back"),
    row("max_workers", TornadoType::Int, "workers kept in memory"),
    row("max_tasks", TornadoType::Int, "tasks kept in memory"),
    row("db", TornadoType::Text, "file of the saved state"),
    row("persistent", TornadoType::Bool, "saves its state"),
    row("state_save_interval", TornadoType::Int, "milliseconds between two saves; 0 saves at the end only"),
    secret("broker_api", TornadoType::Text, "URL of RabbitMQ's management"),
    row("ca_certs", TornadoType::Text, "file of certificate authorities"),
    row("certfile", TornadoType::Text, "file of its certificate"),
    row("keyfile", TornadoType::Text, "file of its key"),
    row("xheaders", TornadoType::Bool, "trusts the headers of a proxy"),
    row("auto_refresh", TornadoType::Bool, "refreshes the list of workers"),
    row("purge_offline_workers", TornadoType::Int, "seconds after which a worker that is gone is forgotten"),
    secret("cookie_secret", TornadoType::Text, "what signs cookies"),
    row("conf", TornadoType::Text, "file with more options"),
    row("enable_events", TornadoType::Bool, "asks workers to send events"),
    row("format_task", TornadoType::Function, "formats a task"),
    row("natural_time", TornadoType::Bool, "shows times as 2 minutes ago"),
    row("tasks_columns", TornadoType::Text, "columns of the list of tasks"),
    row("auth_provider", TornadoType::Text, "class that asks the provider"),
    row("url_prefix", TornadoType::Text, "path under which it is reached"),
    row("task_runtime_metric_buckets", TornadoType::Floats, "bounds of the runtime histogram"),
    Spec { until: Some(Release::V1_2), ..row("inspect", TornadoType::Bool, "inspects workers") },
    Spec {
        since: Release::V2_2,
        ..row("read_only", TornadoType::Bool, "disables everything that changes something")
    },
    row("help", TornadoType::Bool, "says how it is used and ends"),
    row("logging", TornadoType::Text, "least level that is logged; none leaves logging alone"),
    row("log_to_stderr", TornadoType::Bool, "logs to the standard error output"),
    row("log_file_prefix", TornadoType::Text, "file to log to"),
    row("log_file_max_size", TornadoType::Int, "bytes after which the log file is changed"),
    row("log_file_num_backups", TornadoType::Int, "log files to keep"),
    row("log_rotate_when", TornadoType::Text, "unit of the rotation's interval"),
    row("log_rotate_interval", TornadoType::Int, "interval of the rotation"),
    row("log_rotate_mode", TornadoType::Text, "by size or by time"),
];
