// SPDX-License-Identifier: Apache-2.0
//! What tells Prometheus to scrape Flower.

use serde_json::json;

use super::manifest::{ChildKind, Manifest};
use super::{Capabilities, flower, metadata};
use crate::labels::{self, Component};
use crate::names;
use crate::resolve::{Flower, Resolved};

/// The monitor, where it is asked for and its kind is known.
pub(super) fn monitor(resolved: &Resolved, flower: &Flower, capabilities: Capabilities) -> Option<Manifest> {
    if !flower.is_monitored || !capabilities.monitors {
        return None;
    }
    let name = names::flower(&resolved.app);
    let mut endpoint = json!({ "port": flower::PORT, "path": flower.metrics_path() });
    if flower.https {
        endpoint["scheme"] = json!("https");
        // Prometheus asks the pod by its address, which no certificate of a host name covers. Nothing secret is sent.
        endpoint["tlsConfig"] = json!({ "insecureSkipVerify": true });
    }
    let selector = labels::selector(&resolved.owner.name, Component::Flower, None);
    let object = json!({
        "metadata": metadata(resolved, &name, Some(Component::Flower), None),
        "spec": { "selector": { "matchLabels": selector }, "endpoints": [endpoint] },
    });
    Some(Manifest::new(ChildKind::ServiceMonitor, &name, &object))
}
