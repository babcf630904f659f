// SPDX-License-Identifier: Apache-2.0
//! What the operator asked of the API server, from the API server's own log.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::{Read as _, Seek as _, SeekFrom};

use serde_json::Value;

use crate::rig::Rig;

/// The user that the operator is.
const OPERATOR: &str = "system:serviceaccount:celery-system:celery-operator";
const MUTATING: [&str; 5] = ["create", "update", "patch", "delete", "deletecollection"];

/// How much has been logged so far.
pub(crate) fn length(rig: &Rig) -> u64 {
    rig.audit_log.metadata().unwrap().len()
}

/// The mutating requests of the operator that were logged after `from`, as `verb resource[/sub] namespace/name code`.
pub(crate) fn writes(rig: &Rig, from: u64) -> Vec<String> {
    requests(rig, from, &MUTATING)
}

/// The replicas that wrote anything after `from`, by what their requests say of them.
pub(crate) fn writers(rig: &Rig, from: u64) -> BTreeSet<String> {
    events(rig, from, &MUTATING).iter().map(|event| event["userAgent"].as_str().unwrap().to_owned()).collect()
}

/// The requests for one object of a namespace.
pub(crate) fn reads_in(rig: &Rig, from: u64, namespace: &str) -> Vec<String> {
    let mut reads = requests(rig, from, &["get"]);
    let here = format!(" {namespace}/");
    reads.retain(|read| read.contains(&here));
    reads
}

/// What the operator asked for after `from`. The Lease is left out: it is written for as long as somebody holds it.
fn events(rig: &Rig, from: u64, verbs: &[&str]) -> Vec<Value> {
    let mut file = File::open(&rig.audit_log).unwrap();
    file.seek(SeekFrom::Start(from)).unwrap();
    let mut text = String::new();
    file.read_to_string(&mut text).unwrap();
    // The last line may be half written.
    let whole = text.rfind('\n').map_or("", |end| &text[..end]);
    let mut events: Vec<Value> = whole.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    events.retain(|event| {
        let is_meant = verbs.contains(&event["verb"].as_str().unwrap_or_default());
        event["user"]["username"] == OPERATOR && is_meant && event["objectRef"]["resource"] != "leases"
    });
    events
}

fn requests(rig: &Rig, from: u64, verbs: &[&str]) -> Vec<String> {
    let mut requests = Vec::new();
    for event in events(rig, from, verbs) {
        let verb = event["verb"].as_str().unwrap_or_default();
        let field = |name: &str| event["objectRef"][name].as_str().unwrap_or_default();
        let sub = match field("subresource") {
            "" => String::new(),
            sub => format!("/{sub}"),
        };
        let code = &event["responseStatus"]["code"];
        requests.push(format!(
            "{verb} {}{sub} {}/{} {code}",
            field("resource"),
            field("namespace"),
            field("name")
        ));
    }
    requests
}

/// Those in a namespace.
pub(crate) fn writes_in(rig: &Rig, from: u64, namespace: &str) -> Vec<String> {
    let mut writes = writes(rig, from);
    let here = format!(" {namespace}/");
    writes.retain(|write| write.contains(&here));
    writes
}
