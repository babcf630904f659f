// SPDX-License-Identifier: Apache-2.0
//! Logs.

use std::io::IsTerminal as _;
use std::str::FromStr;

use clap::ValueEnum;
use tracing_subscriber::EnvFilter;
use tracing_subscriber::filter::{Directive, LevelFilter, ParseError};

/// kube logs a whole body that it cannot read as a warning, and the body may hold Secrets.
const NO_BODIES: (&str, LevelFilter) = ("kube_client::client", LevelFilter::ERROR);

/// kube prints a refused watch as Rust writes a value; whoever watches says it in words.
const NO_VALUES: &str = "kube_runtime::watcher=error";

/// Whoever reaches the webhook port could write as many warnings about HTTP/2 as they send bytes.
const NO_NOISE: &str = "h2=error";

/// Form of the log lines.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    /// For people.
    #[default]
    Text,
    /// For collectors: one JSON object a line.
    Json,
}

/// What is logged: `info`, `celery_operator=debug,warn`.
#[derive(Clone, Debug)]
pub struct LogFilter(Vec<Directive>);

impl FromStr for LogFilter {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let directives = text.split(',').map(str::trim).filter(|directive| !directive.is_empty());
        directives.map(Directive::from_str).collect::<Result<_, _>>().map(Self)
    }
}

impl LogFilter {
    /// The filter, closed where secrets could come through.
    fn closed(&self) -> EnvFilter {
        let (target, level) = NO_BODIES;
        // The level alone stands for any target; a target is only had by parsing.
        let no_bodies = format!("{target}={level}").parse::<Directive>().unwrap_or_else(|_| level.into());
        let quiet = [NO_VALUES, NO_NOISE].into_iter().filter_map(|quiet| quiet.parse::<Directive>().ok());
        let all = quiet.chain(self.0.iter().cloned()).chain([no_bodies]);
        all.fold(EnvFilter::default(), EnvFilter::add_directive)
    }
}

/// Sends logs to stderr, as far as `filter` lets them.
pub fn start(format: LogFormat, filter: &LogFilter) {
    let builder = tracing_subscriber::fmt()
        .with_env_filter(filter.closed())
        .with_ansi(std::io::stderr().is_terminal())
        .with_writer(std::io::stderr);
    match format {
        LogFormat::Text => builder.init(),
        LogFormat::Json => builder.json().init(),
    }
}

#[cfg(test)]
mod tests {
    use std::io;
    use std::sync::{Arc, Mutex};

    use super::*;

    #[derive(Clone, Default)]
    struct Lines(Arc<Mutex<Vec<u8>>>);

    impl io::Write for Lines {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().expect("the lines").extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn logged(filter: &str) -> String {
        let lines = Lines::default();
        let writer = lines.clone();
        let filter: LogFilter = filter.parse().expect("a filter");
        let subscriber = tracing_subscriber::fmt()
            .with_env_filter(filter.closed())
            .with_writer(move || writer.clone())
            .finish();
        tracing::subscriber::with_default(subscriber, || {
            tracing::info!("ours");
            tracing::warn!(target: "kube_client::client", "a body");
            tracing::warn!(target: "kube_runtime::watcher", "a value");
            tracing::error!(target: "kube_client::client", "an error");
            tracing::warn!(target: "h2::proto", "a frame");
        });
        let bytes = lines.0.lock().expect("the lines").clone();
        String::from_utf8(bytes).expect("text")
    }

    #[test]
    fn bodies_stay_out_of_the_log_whatever_is_asked_for() {
        for filter in ["info", "trace", "kube_client::client=debug,info", "kube=trace,kube_client=trace,info"]
        {
            let text = logged(filter);
            assert!(text.contains("ours") && text.contains("an error"), "{filter}: {text}");
            assert!(!text.contains("a body"), "{filter}: {text}");
        }
        assert!(!logged("warn").contains("ours"));
    }

    #[test]
    fn values_are_logged_only_for_those_who_ask() {
        assert!(!logged("info").contains("a value"));
        assert!(!logged("kube_runtime=debug").contains("a value"));
        assert!(logged("kube_runtime::watcher=debug").contains("a value"));
        assert!(!logged("debug").contains("a frame"));
        assert!(logged("h2=debug").contains("a frame"));
    }

    #[test]
    fn what_is_no_filter_is_an_error() {
        assert!("celery_operator=loud".parse::<LogFilter>().is_err());
        assert!("info,,".parse::<LogFilter>().is_ok());
    }
}
