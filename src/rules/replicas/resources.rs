// SPDX-License-Identifier: Apache-2.0
//! Rules about requests and limits, of the operator's containers and of those that users describe as a whole.

use std::collections::BTreeMap;

use k8s_openapi::apimachinery::pkg::api::resource::Quantity;
use kube_quantity::ParsedQuantity;

use super::amounts::{effective, resources};
use crate::api::amount::{memory, number};
use crate::api::is_qualified;
use crate::rules::finding::{Kind, Report, Severity};
use crate::rules::path;
use crate::rules::quoting::quoted;
use crate::rules::rule::{Check, Example, Rule};
use crate::rules::subject::Subject;

/// Below this many bytes no container of a Python program starts.
const LEAST_MEMORY: f64 = 4.0 * 1024.0 * 1024.0;
/// Mebibytes of a tebibyte: nobody who leaves a unit out means that much.
const TEBI: u32 = 1024 * 1024;
/// Below this many cpus a worker takes ten times as long to start.
const SLOW_CPU: f64 = 0.1;
/// More cores than most nodes have.
const MANY_CORES: u32 = 64;
/// What names of huge pages begin with; the size of a page follows.
const HUGE: &str = "hugepages-";
/// Resources that have no prefix.
const PLAIN: &[&str] = &["cpu", "memory", "ephemeral-storage"];

#[rustfmt::skip] // A table: one rule, one block.
pub(in crate::rules) const RULES: &[Rule] = &[
    Rule {
        id: "K07", severity: Severity::Deny, schema: false, since: "0.1",
        title: "amounts of resources are quantities",
        consequence: "The API server refuses the Deployment, and the error stays in the operator's log.",
        check: Check::object(k07),
        example: Example { bad: "spec: {workerSpec: {resources: {limits: {memory: 1 GB}}}}", at: "spec.workerSpec.resources.limits.memory", good: "spec: {workerSpec: {resources: {limits: {memory: 1Gi, cpu: 1}, requests: {cpu: 500m}}}}", old: None },
    },
    Rule {
        id: "K08", severity: Severity::Deny, schema: false, since: "0.1",
        title: "memory is counted in Mi or Gi",
        consequence: "512m is half a byte; the container is killed before it starts.",
        check: Check::object(k08).or(Severity::Warn, "when only a request is so small"),
        example: Example { bad: "spec: {workerSpec: {resources: {limits: {memory: 512m}}}}", at: "spec.workerSpec.resources.limits.memory", good: "spec: {workerSpec: {resources: {limits: {memory: 512Mi}}}}", old: None },
    },
    Rule {
        id: "K09", severity: Severity::Deny, schema: false, since: "0.1",
        title: "a request is not above its limit",
        consequence: "The API server refuses the Deployment, and the error stays in the operator's log.",
        check: Check::object(k09),
        example: Example { bad: "spec: {workerSpec: {resources: {requests: {cpu: 2}, limits: {cpu: 1500m}}}}", at: "spec.workerSpec.resources.requests.cpu", good: "spec: {workerSpec: {resources: {requests: {cpu: 1500m}, limits: {cpu: '1.5'}}}}", old: None },
    },
    Rule {
        id: "K10", severity: Severity::Deny, schema: false, since: "0.1",
        title: "a resource is one of Kubernetes, or has a prefix",
        consequence: "The API server refuses the Deployment, and the error stays in the operator's log.",
        check: Check::object(k10),
        example: Example { bad: "spec: {workerSpec: {resources: {limits: {mem: 1Gi}}}}", at: "spec.workerSpec.resources.limits.mem", good: "spec: {workerSpec: {resources: {limits: {memory: 1Gi, nvidia.com/gpu: 1}}}}", old: None },
    },
    Rule {
        id: "K13", severity: Severity::Deny, schema: false, since: "0.1",
        title: "what cannot be shared is whole, and limited to what is requested",
        consequence: "The Celery is stored, then the API server refuses the Deployment: old pods stay, and only the status says why.",
        check: Check::object(k13),
        example: Example {
            bad: "spec: {workerSpec: {resources: {requests: {nvidia.com/gpu: 1}}}}",
            at: "spec.workerSpec.resources.limits[nvidia.com/gpu]",
            good: "spec: {workerSpec: {resources: {limits: {nvidia.com/gpu: 1}}}}",
            old: None,
        },
    },
    Rule {
        id: "K11", severity: Severity::Warn, schema: false, since: "0.1",
        title: "there is enough cpu to start",
        consequence: "The start takes twenty seconds instead of two, and probes time out meanwhile.",
        check: Check::object(k11),
        example: Example { bad: "spec: {workerSpec: {resources: {limits: {cpu: 50m}}}}", at: "spec.workerSpec.resources.limits.cpu", good: "spec: {workerSpec: {resources: {limits: {cpu: 100m}}}}", old: None },
    },
    Rule {
        id: "K14", severity: Severity::Warn, schema: false, since: "0.1",
        title: "cpu is counted in cores, or in thousandths of them with an m",
        consequence: "No node has that many cpus, so that the pod waits for ever; without concurrency a worker would start as many processes.",
        check: Check::object(k14),
        example: Example { bad: "spec: {workerSpec: {resources: {requests: {cpu: 500}}}}", at: "spec.workerSpec.resources.requests.cpu", good: "spec: {workerSpec: {resources: {requests: {cpu: 500m}}}}", old: None },
    },
];

fn k07(subject: &Subject<'_>, report: &mut Report<'_>) {
    let mut judge = |path: String, name: &str, amount: &Quantity| {
        let message = match number(&amount.0) {
            None => "is not a quantity",
            Some(negative) if negative < 0.0 => "is negative",
            Some(_) => return,
        };
        let is_memory = ["memory", "ephemeral-storage"].contains(&name);
        let fix = match memory(&amount.0).filter(|_| is_memory) {
            Some(meant) => format!("write {meant}"),
            None if is_memory => "use one such as 512Mi".to_owned(),
            None => "use one such as 500m, 2 or 512Mi".to_owned(),
        };
        report.add(Kind::Invalid, path, message, fix);
    };
    for (path, _, list) in lists(subject) {
        for (name, amount) in list {
            judge(path::entry(&path, name), name, amount);
        }
    }
    for pool in &subject.pools {
        if let Some(amount) = &pool.spec.max_memory_per_child {
            judge(format!("{}.maxMemoryPerChild", pool.path), "memory", amount);
        }
    }
}

/// The amounts of both lists of all containers: the path of the list, its word, its entries.
fn lists<'s>(
    subject: &'s Subject<'_>,
) -> impl Iterator<Item = (String, &'static str, &'s BTreeMap<String, Quantity>)> {
    resources(subject).flat_map(|(path, resources)| {
        [("requests", &resources.requests), ("limits", &resources.limits)]
            .into_iter()
            .filter_map(move |(word, list)| Some((format!("{path}.{word}"), word, list.as_ref()?)))
    })
}

fn k08(subject: &Subject<'_>, report: &mut Report<'_>) {
    for (path, word, list) in lists(subject) {
        let Some(Quantity(text)) = list.get("memory") else { continue };
        let Some(bytes) = number(text) else { continue };
        let path = format!("{path}.memory");
        let whole = text.strip_suffix('m').unwrap_or(text);
        let fix = match whole.parse::<u32>() {
            Ok(mebibytes) if mebibytes < TEBI => format!("did you mean {mebibytes}Mi?"),
            _ => "use one such as 512Mi".to_owned(),
        };
        match word {
            // No limit at all, for the runtime.
            "limits" if bytes > 0.0 && bytes < LEAST_MEMORY => {
                report.add(Kind::Invalid, path, "is less than any container needs to start", fix);
            }
            "requests" if text.ends_with('m') => {
                let message = "counts thousandths of a byte";
                report.graded(Severity::Warn, Kind::Invalid, path, message, fix);
            }
            // A single byte is a way to ask for next to nothing.
            "requests" if bytes > 1.0 && bytes < LEAST_MEMORY && text.parse::<u32>().is_ok() => {
                report.graded(Severity::Warn, Kind::Invalid, path, "counts bytes", fix);
            }
            _ => {}
        }
    }
}

fn k14(subject: &Subject<'_>, report: &mut Report<'_>) {
    for (path, _, list) in lists(subject) {
        let Some(Quantity(text)) = list.get("cpu") else { continue };
        if let Some(digits) = large_unit(text) {
            let fix = format!("did you mean {digits}m?");
            report.add(Kind::Invalid, format!("{path}.cpu"), "is more than any machine has", fix);
            continue;
        }
        let Ok(cores) = text.parse::<u32>() else { continue };
        // Machines with more cores have 96 or 128 of them, while thousandths come in steps of 25.
        if cores > MANY_CORES && cores.is_multiple_of(25) {
            let message = format!("is {cores} cores");
            report.add(Kind::Invalid, format!("{path}.cpu"), message, format!("write {cores}m"));
        }
    }
}

/// The digits before a unit of thousands or more, with which nobody counts cores.
fn large_unit(text: &str) -> Option<&str> {
    let digits = text.trim_end_matches(|letter: char| letter.is_ascii_alphabetic());
    let unit = &text[digits.len()..];
    let is_large = ["k", "M", "G", "T", "P", "E", "Ki", "Mi", "Gi", "Ti", "Pi", "Ei"].contains(&unit);
    let is_count = (1..=6).contains(&digits.len()) && digits.bytes().all(|digit| digit.is_ascii_digit());
    (is_large && is_count && digits.bytes().any(|digit| digit != b'0')).then_some(digits)
}

fn k09(subject: &Subject<'_>, report: &mut Report<'_>) {
    for amounts in effective(subject) {
        for (name, request) in &amounts.requests {
            let Some(limit) = amounts.limits.get(name) else { continue };
            let (Ok(asked), Ok(most)) =
                (ParsedQuantity::try_from(*request), ParsedQuantity::try_from(*limit))
            else {
                continue; // Another rule tells.
            };
            if asked > most && !is_wrong_itself(name, limit) {
                let limit = quoted(&limit.0);
                report.add(
                    Kind::Invalid,
                    path::entry(&format!("{}.requests", amounts.of_requests(name)), name),
                    format!("is above the limit of {limit}"),
                    format!("use at most {limit}, or raise the limit"),
                );
            }
        }
    }
}

/// Whether another rule tells about the limit, which is then no measure of the request.
fn is_wrong_itself(name: &str, limit: &Quantity) -> bool {
    number(&limit.0)
        .is_none_or(|amount| amount < 0.0 || (name == "memory" && amount > 0.0 && amount < LEAST_MEMORY))
}

fn k10(subject: &Subject<'_>, report: &mut Report<'_>) {
    for (path, _, list) in lists(subject) {
        for name in list.keys() {
            if PLAIN.contains(&name.as_str()) || name.starts_with(HUGE) || is_device(name) {
                continue;
            }
            let fix = match name.to_lowercase().as_str() {
                "mem" | "memory" | "ram" => "did you mean memory?",
                "cpu" | "cpus" => "did you mean cpu?",
                "storage" | "disk" | "ephemeralstorage" => "did you mean ephemeral-storage?",
                _ => "use cpu, memory or ephemeral-storage",
            };
            let message = format!("the key \"{}\" is no known resource", quoted(name));
            report.add(Kind::Unsupported, path::entry(&path, name), message, fix);
        }
    }
}

/// Devices and huge pages: a container has them for itself.
fn k13(subject: &Subject<'_>, report: &mut Report<'_>) {
    for amounts in effective(subject) {
        let limits = amounts.limits.iter().filter(|(name, _)| is_unshared(name));
        let broken: Vec<bool> =
            limits.map(|(name, limit)| broken(&amounts.path, name, limit, report)).collect();
        let path = &amounts.path;
        for (name, request) in amounts.requests.iter().filter(|(name, _)| is_unshared(name)) {
            let Some(limit) = amounts.limits.get(name) else {
                let at = path::entry(&format!("{path}.limits"), name);
                report.add(Kind::Required, at, "it is requested, and needs a limit", "set the same limit");
                continue;
            };
            // Of more than the limit another rule tells.
            if number(&request.0) < number(&limit.0) {
                let at = path::entry(&format!("{path}.requests"), name);
                report.add(Kind::Invalid, at, "is not the limit", "remove it, or use the limit");
            }
        }
        let is_set = |name: &str| amounts.requests.contains_key(name) || amounts.limits.contains_key(name);
        let is_huge = amounts.limits.keys().any(|name| name.starts_with(HUGE));
        if is_huge && !broken.contains(&true) && !is_set("cpu") && !is_set("memory") {
            report.add(
                Kind::Required,
                path,
                "huge pages need cpu or memory beside them",
                "set a limit of memory",
            );
        }
    }
}

/// Reports a limit that is no number of whole things; says whether it is one.
fn broken(path: &str, name: &str, limit: &Quantity, report: &mut Report<'_>) -> bool {
    let at = path::entry(&format!("{path}.limits"), name);
    // Of what is no quantity another rule tells.
    let Some(amount) = number(&limit.0).filter(|amount| *amount >= 0.0) else { return true };
    let page = name.strip_prefix(HUGE).map(|page| number(page).filter(|page| *page > 0.0));
    let (is_whole, message, fix) = match page {
        Some(page) => {
            let pages = page.map_or(0.5, |page| amount / page);
            (
                pages >= 1.0 && pages.fract() == 0.0,
                "is not a number of whole pages",
                "use a multiple of the page size",
            )
        }
        None => (amount.fract() == 0.0, "is not a whole number", "use one such as 1"),
    };
    if !is_whole {
        report.add(Kind::Invalid, at, message, fix);
    }
    !is_whole
}

fn is_unshared(name: &str) -> bool {
    name.starts_with(HUGE) || is_device(name)
}

fn is_device(name: &str) -> bool {
    name.contains('/') && is_qualified(name)
}

fn k11(subject: &Subject<'_>, report: &mut Report<'_>) {
    for component in subject.components() {
        let limits = component.resources().and_then(|resources| resources.limits.as_ref());
        let cpu = limits.and_then(|limits| limits.get("cpu")).and_then(|Quantity(text)| number(text));
        if cpu.is_some_and(|cpu| cpu > 0.0 && cpu < SLOW_CPU) {
            report.add(
                Kind::Invalid,
                format!("{}.resources.limits.cpu", component.path),
                "makes the start very slow",
                "use 100m or more",
            );
        }
    }
}
