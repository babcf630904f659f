// SPDX-License-Identifier: Apache-2.0
//! Redis and `RabbitMQ` out of their Debian packages, in the node's own network: pods reach them by its address, and they
//! end with it.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use testbed::node::network::NODE;
use testbed::{Node, Process, until};

use crate::Error;

const PATIENCE: Duration = Duration::from_mins(2);
/// Where the Debian package has it.
pub(crate) const REDIS: &str = "/usr/bin/redis-server";
/// The program itself: the one in the path wants to be another user.
pub(crate) const RABBITMQ: &str = "/usr/lib/rabbitmq/bin/rabbitmq-server";
const AMQP: u16 = 5672;

/// A Redis without a disk.
pub(crate) struct Redis {
    port: u16,
    /// The one that is asked for from now on; none at first.
    password: Mutex<Option<String>>,
    _process: Process,
}

impl Redis {
    pub(crate) fn start(node: &Node, name: &str, port: u16, dir: &Path) -> Result<Self, Error> {
        let mut command = node.command(Path::new(REDIS));
        command
            .args(["--bind", NODE, "--protected-mode", "no", "--save", "", "--appendonly", "no"])
            // Every experiment has two of its own.
            .args(["--databases", "64"])
            .args(["--port", &port.to_string(), "--dir"])
            .arg(dir);
        let process = Process::spawn(name, &command, &dir.join(format!("redis-{name}.log")))?;
        let redis = Self { port, password: Mutex::new(None), _process: process };
        until("Redis", PATIENCE, || redis.ask(&["PING"]).map_err(|error| error.to_string()))?;
        Ok(redis)
    }

    /// The URL of one of its databases.
    pub(crate) fn url(&self, database: u8) -> String {
        let user = self.password().map(|password| format!(":{password}@")).unwrap_or_default();
        format!("redis://{user}{NODE}:{}/{database}", self.port)
    }

    /// What it answers, line by line.
    pub(crate) fn ask(&self, words: &[&str]) -> Result<Vec<String>, Error> {
        let mut command = Command::new("redis-cli");
        command.args(["-h", NODE, "-p", &self.port.to_string()]);
        if let Some(password) = self.password() {
            command.env("REDISCLI_AUTH", password);
        }
        let output = command.args(words).output()?;
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        if !output.status.success() || said.starts_with("ERR") || said.starts_with("NOAUTH") {
            return Err(
                format!("{}: {said}{}", words.join(" "), String::from_utf8_lossy(&output.stderr)).into()
            );
        }
        Ok(said.lines().filter(|line| !line.is_empty()).map(str::to_owned).collect())
    }

    /// Takes a further password, which is the one of its URLs from now on. Those of before stay good.
    pub(crate) fn take_password(&self, password: &str) -> Result<(), Error> {
        self.ask(&["ACL", "SETUSER", "default", &format!(">{password}")])?;
        *self.password.lock().unwrap_or_else(PoisonError::into_inner) = Some(password.to_owned());
        Ok(())
    }

    /// Forgets a password of before.
    pub(crate) fn forget_password(&self, password: &str) -> Result<(), Error> {
        self.ask(&["ACL", "SETUSER", "default", &format!("<{password}")]).map(drop)
    }

    fn password(&self) -> Option<String> {
        self.password.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// A `RabbitMQ` that lets guests in from everywhere.
pub(crate) struct RabbitMq {
    _process: Process,
}

impl RabbitMq {
    pub(crate) fn start(node: &Node, dir: &Path) -> Result<Self, Error> {
        let dir = dir.join("rabbitmq");
        fs::create_dir_all(&dir)?;
        let (config, plugins) = (dir.join("rabbitmq.conf"), dir.join("plugins"));
        fs::write(&config, format!("listeners.tcp.default = {AMQP}\nloopback_users = none\n"))?;
        fs::write(&plugins, "[].\n")?;
        let mut command = node.command(Path::new(RABBITMQ));
        command
            .env("HOME", &dir)
            .env("RABBITMQ_NODENAME", "e2e@localhost")
            .env("RABBITMQ_CONFIG_FILE", &config)
            .env("RABBITMQ_CONF_ENV_FILE", "/dev/null")
            .env("RABBITMQ_ENABLED_PLUGINS_FILE", &plugins)
            .env("RABBITMQ_MNESIA_BASE", dir.join("mnesia"))
            .env("RABBITMQ_LOG_BASE", &dir)
            .env("RABBITMQ_LOGS", "-")
            .env("RABBITMQ_PID_FILE", dir.join("pid"));
        let process = Process::spawn("rabbitmq", &command, &dir.join("rabbitmq.log"))?;
        let rabbitmq = Self { _process: process };
        until("RabbitMQ", PATIENCE, || {
            std::net::TcpStream::connect((NODE, AMQP)).map(drop).map_err(|error| error.to_string())
        })?;
        Ok(rabbitmq)
    }

    /// The URL of its one virtual host.
    pub(crate) fn url() -> String {
        format!("amqp://guest:guest@{NODE}:{AMQP}//")
    }
}
