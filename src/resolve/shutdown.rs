// SPDX-License-Identifier: Apache-2.0
//! What happens to running tasks when a worker is stopped.

use k8s_openapi::api::core::v1::EnvVar;
use serde_json::json;

use super::pod::literal;
use super::settings;
use crate::api::{GracefulShutdown, Open, ShutdownMode};

/// What a shutdown needs of the pod and of the command line.
pub(super) struct Shutdown {
    pub(super) grace_seconds: i64,
    pub(super) env: Vec<EnvVar>,
    pub(super) settings: Vec<String>,
}

pub(super) fn shutdown(written: Option<&GracefulShutdown>) -> Shutdown {
    let mode = written.and_then(|written| written.mode.as_ref()).and_then(Open::known);
    let grace =
        written.and_then(|written| written.timeout_seconds).unwrap_or(GracefulShutdown::TIMEOUT_SECONDS);
    let soft = written.and_then(|written| written.soft_timeout_seconds);
    // Celery gives tasks back on SIGQUIT; kubelet sends SIGTERM.
    let remapped = vec![literal("REMAP_SIGTERM", "SIGQUIT")];
    let (env, settings) = match mode {
        Some(ShutdownMode::Soft) => {
            let seconds = soft.unwrap_or_else(|| (grace - GracefulShutdown::RESERVE_SECONDS).max(1));
            (remapped, settings::word("worker_soft_shutdown_timeout", &json!(seconds)).into_iter().collect())
        }
        Some(ShutdownMode::Cold) => (remapped, Vec::new()),
        Some(ShutdownMode::Warm) | None => (Vec::new(), Vec::new()),
    };
    Shutdown { grace_seconds: grace.into(), env, settings }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_mode_asks_for_what_it_needs() {
        for (written, grace, remapped, expected) in [
            (json!({}), 600, false, None),
            (json!({"mode": "Warm", "timeoutSeconds": 60, "softTimeoutSeconds": 20}), 60, false, None),
            (json!({"mode": "Cold"}), 600, true, None),
            (
                json!({"mode": "Soft", "timeoutSeconds": 40}),
                40,
                true,
                Some("worker.soft_shutdown_timeout=30"),
            ),
            (
                json!({"mode": "Soft", "softTimeoutSeconds": 25}),
                600,
                true,
                Some("worker.soft_shutdown_timeout=25"),
            ),
        ] {
            let read: GracefulShutdown = serde_json::from_value(written.clone()).expect("a shutdown");
            let made = shutdown(Some(&read));
            assert_eq!(made.grace_seconds, grace, "{written}");
            assert_eq!(
                made.env.iter().any(|variable| variable.name == "REMAP_SIGTERM"),
                remapped,
                "{written}"
            );
            assert_eq!(made.settings.first().map(String::as_str), expected, "{written}");
        }
    }
}
