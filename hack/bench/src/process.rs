// SPDX-License-Identifier: Apache-2.0
//! What the kernel knows of a process: memory and processor time.

use std::fs;

use crate::Error;

/// Ticks per second of the times in `/proc`, on every architecture that Linux runs Rust on.
const TICKS: f64 = 100.0;

/// Memory of a process, in KiB.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Memory {
    /// Resident now.
    pub(crate) resident: u64,
    /// Resident at most so far.
    pub(crate) peak: u64,
}

/// Memory of a process.
///
/// # Errors
/// When the process is not there.
pub(crate) fn memory(pid: u32) -> Result<Memory, Error> {
    let text = fs::read_to_string(format!("/proc/{pid}/status"))?;
    let field = |name: &str| -> Result<u64, Error> {
        let line = text.lines().find_map(|line| line.strip_prefix(name)).ok_or("no such line in /proc")?;
        Ok(line.trim().trim_end_matches(" kB").parse()?)
    };
    Ok(Memory { resident: field("VmRSS:")?, peak: field("VmHWM:")? })
}

/// Processor time that a process has used so far, in seconds.
///
/// # Errors
/// When the process is not there.
pub(crate) fn processor_seconds(pid: u32) -> Result<f64, Error> {
    let text = fs::read_to_string(format!("/proc/{pid}/stat"))?;
    // The name of the program stands in brackets and may hold blanks.
    let (_, rest) = text.rsplit_once(')').ok_or("no such line in /proc")?;
    let ticks = rest.split_whitespace().skip(11).take(2).map(str::parse::<u32>);
    Ok(ticks.sum::<Result<u32, _>>().map(f64::from)? / TICKS)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_process_has_memory_and_uses_time() {
        let own = std::process::id();
        let memory = memory(own).expect("is there");
        assert!(memory.resident > 0 && memory.peak >= memory.resident);
        let begin = processor_seconds(own).expect("is there");
        let mut sum = 0u64;
        while processor_seconds(own).expect("is there") <= begin {
            sum = sum.wrapping_add(std::hint::black_box(sum));
        }
    }
}
