// SPDX-License-Identifier: Apache-2.0
//! What the system knows of this process, under the names that every process uses, so that dashboards of others show it.

use std::fmt;
use std::fs;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric};
use prometheus_client::metrics::counter::ConstCounter;
use prometheus_client::metrics::gauge::ConstGauge;
use prometheus_client::registry::Registry;
use rustix::process::{Resource, getrlimit};
use rustix::time::{ClockId, clock_gettime};

/// A registry that looks at the process whenever it is asked.
pub(super) fn registry() -> Registry {
    let mut registry = Registry::default();
    registry.register_collector(Box::new(Process { started: SystemTime::now() }));
    registry
}

/// This process.
#[derive(Debug)]
struct Process {
    /// When it began to count, which is when it began.
    started: SystemTime,
}

impl Collector for Process {
    fn encode(&self, mut encoder: DescriptorEncoder) -> Result<(), fmt::Error> {
        let started = self.started.duration_since(UNIX_EPOCH).unwrap_or_default();
        let mut show = |name, help, metric: &dyn Shown| metric.show(&mut encoder, name, help);
        show(
            "process_cpu_seconds",
            "Processor time that was used",
            &ConstCounter::new(processor().as_secs_f64()),
        )?;
        show(
            "process_start_time_seconds",
            "When the process started, since the epoch",
            &ConstGauge::new(started.as_secs_f64()),
        )?;
        if let Some(bytes) = resident() {
            show("process_resident_memory_bytes", "Memory that is in use", &ConstGauge::new(bytes))?;
        }
        if let Some(open) = open_files() {
            show("process_open_fds", "Open files and connections", &ConstGauge::new(open))?;
        }
        if let Some(most) = getrlimit(Resource::Nofile).current {
            show("process_max_fds", "How many may be open", &ConstGauge::new(most))?;
        }
        Ok(())
    }
}

/// A metric that stands alone.
trait Shown {
    fn show(&self, encoder: &mut DescriptorEncoder<'_>, name: &str, help: &str) -> fmt::Result;
}

impl<T: EncodeMetric> Shown for T {
    fn show(&self, encoder: &mut DescriptorEncoder<'_>, name: &str, help: &str) -> fmt::Result {
        self.encode(encoder.encode_descriptor(name, help, None, self.metric_type())?)
    }
}

/// Processor time of all threads so far.
fn processor() -> Duration {
    let used = clock_gettime(ClockId::ProcessCPUTime);
    let part = |number: i64| u64::try_from(number).unwrap_or_default();
    Duration::from_secs(part(used.tv_sec)) + Duration::from_nanos(part(used.tv_nsec))
}

/// Memory in use, in bytes.
fn resident() -> Option<u64> {
    kibibytes(&fs::read_to_string("/proc/self/status").ok()?).map(|number| number.saturating_mul(1024))
}

/// The number behind `VmRSS:`, as Linux writes it.
fn kibibytes(status: &str) -> Option<u64> {
    let value = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    value.trim().strip_suffix("kB")?.trim().parse().ok()
}

fn open_files() -> Option<u64> {
    // The folder is open itself while it is read.
    u64::try_from(fs::read_dir("/proc/self/fd").ok()?.count()).ok().map(|count| count.saturating_sub(1))
}

#[cfg(test)]
mod tests {
    use super::kibibytes;
    use crate::metrics::Metrics;

    #[test]
    fn memory_is_read_as_linux_writes_it() {
        assert_eq!(kibibytes("Name:\tx\nVmRSS:\t   10240 kB\nThreads:\t3\n"), Some(10240));
        for odd in ["", "VmRSS:", "VmRSS: many kB", "VmRSS: 10 MB", "Name: VmRSS: 1 kB"] {
            assert_eq!(kibibytes(odd), None, "{odd}");
        }
    }

    #[test]
    fn the_process_is_seen() {
        let text = Metrics::default().text();
        let value = |name: &str| -> f64 {
            let line = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
            line.unwrap_or_else(|| panic!("{name}\n{text}")).parse().expect("a number")
        };
        assert!(value("process_cpu_seconds_total") > 0.0, "{text}");
        assert!(value("process_resident_memory_bytes") > 1e6, "{text}");
        assert!(
            value("process_open_fds") >= 3.0 && value("process_max_fds") > value("process_open_fds"),
            "{text}"
        );
        assert!(value("process_start_time_seconds") > 1.7e9, "{text}");
    }
}
