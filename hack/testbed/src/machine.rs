// SPDX-License-Identifier: Apache-2.0
//! Facts of this machine that figures may depend on. Nothing that names it.

use std::fs;

use serde_json::{Value, json};

/// Processors, memory, load, and the versions of Kubernetes and of the operator.
#[must_use]
pub fn facts(kubernetes: &str, operator: &str) -> Value {
    let memory = fs::read_to_string("/proc/meminfo").unwrap_or_default();
    let kib = memory
        .lines()
        .find_map(|line| line.strip_prefix("MemTotal:"))
        .and_then(|rest| rest.trim().trim_end_matches(" kB").parse::<u64>().ok());
    let load = fs::read_to_string("/proc/loadavg").unwrap_or_default();
    json!({
        "cores": std::thread::available_parallelism().map_or(0, usize::from),
        "memoryGiB": kib.map(|kib| kib.div_ceil(1024 * 1024)),
        "architecture": std::env::consts::ARCH,
        "loadAtTheEnd": load.split(' ').next(),
        "kubernetes": kubernetes,
        "operator": operator,
    })
}
