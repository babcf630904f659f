// SPDX-License-Identifier: Apache-2.0
//! The names of everything that is created for a Celery: the one place that joins them.

/// The pool that `spec.workerSpec` describes.
pub const DEFAULT_POOL: &str = "default";
/// Longest name of a child: Services and labels end at 63 characters.
pub const MAX: usize = 63;

/// Field manager of everything that is applied.
pub const FIELD_MANAGER: &str = "celery-operator";
/// Field manager that holds `replicas` for the moment of a hand-over.
pub const REPLICAS_MANAGER: &str = "celery-operator-replicas";
/// Field manager that writes over an edit which server-side apply cannot undo.
pub const REPAIR_MANAGER: &str = "celery-operator-repair";

/// Container that runs the worker.
pub const WORKER_CONTAINER: &str = "celery";
/// Container that runs Flower.
pub const FLOWER_CONTAINER: &str = "flower";
/// Container that runs beat.
pub const BEAT_CONTAINER: &str = "beat";
/// Volume for temporary files. Names that begin with `celery-operator-` are the operator's.
pub const TEMPORARY_VOLUME: &str = "celery-operator-tmp";
/// Volume with the certificate of the broker's authority.
pub const BROKER_AUTHORITY_VOLUME: &str = "celery-operator-broker";
/// Volume with Flower's certificate.
pub const FLOWER_TLS_VOLUME: &str = "celery-operator-flower-tls";
/// Volume with what outlives a pod: Flower's history, beat's schedule.
pub const DATA_VOLUME: &str = "celery-operator-data";
/// Volume with what makes Celery show that it lives.
pub const PROBE_VOLUME: &str = "celery-operator-probe";
/// Volume with the files by which it does.
pub const ALIVE_VOLUME: &str = "celery-operator-alive";

/// Name of a worker pool's Deployment and of its autoscaler.
#[must_use]
pub fn worker(app: &str, pool: &str) -> String {
    if pool == DEFAULT_POOL { format!("{app}-worker") } else { format!("{app}-worker-{pool}") }
}

/// Name of Flower's Deployment, Service, autoscaler, claim and monitor.
#[must_use]
pub fn flower(app: &str) -> String {
    format!("{app}-flower")
}

/// Name of beat's Deployment and claim.
#[must_use]
pub fn beat(app: &str) -> String {
    format!("{app}-beat")
}

/// Name of the Secret with the URL made from typed broker parts.
#[must_use]
pub fn broker_secret(app: &str) -> String {
    format!("{app}-celery-broker")
}

/// Name of the Secret with what KEDA needs to see the broker.
#[must_use]
pub fn keda_secret(app: &str) -> String {
    format!("{app}-celery-keda")
}

/// Name of the `ConfigMap` with what makes Celery show that it lives.
#[must_use]
pub fn probe_files(app: &str) -> String {
    format!("{app}-celery-probe")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_the_contract() {
        assert_eq!(worker("shop", "default"), "shop-worker");
        assert_eq!(worker("shop", "mail"), "shop-worker-mail");
        assert_eq!(flower("shop"), "shop-flower");
        assert_eq!(beat("shop"), "shop-beat");
        assert_eq!(broker_secret("shop"), "shop-celery-broker");
        assert_eq!(keda_secret("shop"), "shop-celery-keda");
        assert_eq!(probe_files("shop"), "shop-celery-probe");
    }
}
