// SPDX-License-Identifier: Apache-2.0
//! Containers: what they are called, which ports they have, and what is asked of them.

use std::collections::HashSet;

use serde_json::Value;

use super::form::{Field, Form, Item, Must, field};
use super::security;
use super::text::{LABEL_NAME, PORT_NAME, WHOLE};
use super::variables::{SOURCES, VARIABLES};
use super::volumes::MOUNT;
use super::walk::Told;
use crate::api::limits;
use crate::names;
use crate::rules::breach::Topic;
use crate::rules::finding::Kind;
use crate::rules::shell;

const PROTOCOL: Must = Must::Word(&["TCP", "UDP", "SCTP"]);
const COUNT: Must = Must::Between(0, i64::MAX);
/// A container beside Celery's own.
pub(super) static CONTAINER: Form =
    Form::of(FIELDS).needs(&[("name", "name the container")]).whole(container);

/// A container that runs before.
pub(super) static INIT_CONTAINER: Form =
    Form::of(FIELDS).needs(&[("name", "name the container")]).whole(init_container);

const FIELDS: &[Field] = &[
    field("name", Must::Read(&LABEL_NAME)),
    field("imagePullPolicy", Must::Word(&["Always", "IfNotPresent", "Never"])),
    field("terminationMessagePolicy", Must::Word(&["File", "FallbackToLogsOnError"])),
    field("restartPolicy", Must::Word(&["Always", "OnFailure", "Never"])),
    field("ports", Must::List(&PORT)),
    field("env", Must::List(&VARIABLES)).about(Topic::Variables),
    field("envFrom", Must::List(&SOURCES)).about(Topic::Variables),
    field("volumeMounts", Must::List(&MOUNT)).about(Topic::Mounts),
    field("securityContext", Must::Be(&security::CONTAINER)).about(Topic::Security),
    field("livenessProbe", Must::Be(&DECISIVE_PROBE)).about(Topic::Handlers),
    field("startupProbe", Must::Be(&DECISIVE_PROBE)).about(Topic::Handlers),
    field("readinessProbe", Must::Be(&READINESS_PROBE)).about(Topic::Handlers),
    field("lifecycle", Must::Be(&LIFECYCLE)).about(Topic::Handlers),
    field("command", Must::Texts(&WHOLE)).about(Topic::Words),
    field("args", Must::Texts(&WHOLE)).about(Topic::Words),
];

static PORT: Form = Form::of(&[
    field("containerPort", Must::Between(1, 65535)),
    // Zero counts as absent.
    field("hostPort", Must::Between(0, 65535)),
    field("name", Must::Read(&PORT_NAME)),
    field("protocol", PROTOCOL),
])
.needs(&[("containerPort", "use 1 to 65535")]);

const HANDLERS: &[&str] = &["exec", "httpGet", "tcpSocket", "grpc"];

static DECISIVE_PROBE: Form = Form::of(&[
    field("exec", Must::Be(&EXEC)),
    field("httpGet", Must::Be(&HTTP)),
    field("tcpSocket", Must::Be(&TCP)),
    field("grpc", Must::Be(&GRPC)),
    field("initialDelaySeconds", COUNT),
    field("timeoutSeconds", COUNT),
    field("periodSeconds", COUNT),
    field("failureThreshold", COUNT),
    // Zero counts as absent.
    field("successThreshold", Must::Between(0, 1)),
    field("terminationGracePeriodSeconds", Must::Between(1, i64::MAX)),
])
.one_of(HANDLERS);

static READINESS_PROBE: Form = Form::of(&[
    field("exec", Must::Be(&EXEC)),
    field("httpGet", Must::Be(&HTTP)),
    field("tcpSocket", Must::Be(&TCP)),
    field("grpc", Must::Be(&GRPC)),
    field("initialDelaySeconds", COUNT),
    field("timeoutSeconds", COUNT),
    field("periodSeconds", COUNT),
    field("failureThreshold", COUNT),
    field("successThreshold", COUNT),
    field("terminationGracePeriodSeconds", Must::Gone("remove it, this probe stops nothing")),
])
.one_of(HANDLERS);

/// What runs after the start and before the stop.
pub(super) static LIFECYCLE: Form =
    Form::of(&[field("postStart", Must::Be(&HOOK)), field("preStop", Must::Be(&HOOK))]);

static HOOK: Form = Form::of(&[
    field("exec", Must::Be(&EXEC)),
    field("httpGet", Must::Be(&HTTP)),
    field("tcpSocket", Must::Be(&TCP)),
    field("sleep", Must::Be(&SLEEP)),
])
.one_of(&["exec", "httpGet", "tcpSocket", "sleep"]);

static EXEC: Form = Form::of(&[field("command", Must::Texts(&WHOLE)).about(Topic::Words)])
    .needs(&[("command", "set it, one word per element")])
    .whole(program);
static HTTP: Form = Form::of(&[field("port", Must::Port), field("scheme", Must::Word(&["HTTP", "HTTPS"]))])
    .needs(&[("port", "use 1 to 65535, or a name of ports")]);
static TCP: Form =
    Form::of(&[field("port", Must::Port)]).needs(&[("port", "use 1 to 65535, or a name of ports")]);
static GRPC: Form = Form::of(&[field("port", Must::Between(1, 65535))]).needs(&[("port", "use 1 to 65535")]);
static SLEEP: Form = Form::of(&[]).whole(sleep);

fn container(item: &Item<'_>, told: &mut Told) {
    no_port_twice(item, told);
    // How a worker starts is another rule's.
    if !item.is_in_template() || item.text("name") != names::WORKER_CONTAINER {
        program(item, told);
    }
    if item.pod.own == Some(item.text("name")) {
        told.about(Topic::Security, |told| security::escalates(item, told));
    }
}

/// A program is one word: what stands behind it are words of their own.
pub(super) fn program(item: &Item<'_>, told: &mut Told) {
    let first = item.list("command").first().and_then(Value::as_str).unwrap_or_default();
    // A NUL byte is told by itself, and a folder may have blanks in its name.
    let is_line = first.trim().contains(char::is_whitespace) && !first.contains('\0');
    if is_line && !first.starts_with('/') || !first.is_empty() && first.trim().is_empty() {
        let fix = shell::listed(first).map_or_else(
            || "write one word per element".to_owned(),
            |list| format!("write one word per element: {list}"),
        );
        told.about(Topic::Programs, |told| {
            // Without the words, which may hold a credential.
            let path = format!("{}[0]", item.at("command"));
            told.add(Kind::Forbidden, path, "is not the name of a program but a whole line", fix);
        });
    } else {
        unread(item, told);
    }
}

/// What only a shell would understand, where none reads it. Without the word, which may hold a credential.
fn unread(item: &Item<'_>, told: &mut Told) {
    let words = item.list("command").iter().chain(item.list("args"));
    let words: Vec<String> = words.map(|word| word.as_str().unwrap_or_default().to_owned()).collect();
    let in_command = item.list("command").len();
    if in_command == 0 {
        return;
    }
    if let Some(unread) = shell::needs_a_shell(&words).filter(|unread| unread.is_certain) {
        let path = match unread.at.checked_sub(in_command) {
            Some(at) => format!("{}[{at}]", item.at("args")),
            None => format!("{}[{}]", item.at("command"), unread.at),
        };
        told.about(Topic::Programs, |told| told.add(Kind::Forbidden, path, unread.message, unread.fix));
    }
}

fn no_port_twice(item: &Item<'_>, told: &mut Told) {
    let protocol = |port: &Value| port["protocol"].as_str().unwrap_or("TCP").to_owned();
    let (mut names, mut numbers) = (HashSet::new(), HashSet::new());
    for (index, port) in item.list("ports").iter().enumerate().take(limits::ITEMS) {
        let path = format!("{}[{index}]", item.at("ports"));
        let (name, number) = (port["name"].as_str().unwrap_or_default(), port["containerPort"].as_i64());
        if !name.is_empty() && !names.insert(name) {
            told.add(
                Kind::Duplicate,
                format!("{path}.name"),
                "another port has this name",
                "use another name",
            );
        // In a template the later one is laid over the earlier one.
        } else if number.is_some() && !numbers.insert((number, protocol(port))) && !item.is_in_template() {
            told.add(
                Kind::Duplicate,
                format!("{path}.containerPort"),
                "is given twice",
                "remove one of the two",
            );
        }
    }
}

fn init_container(item: &Item<'_>, told: &mut Told) {
    no_port_twice(item, told);
    program(item, told);
    if item.text("restartPolicy") == "Always" || !item.lacks("restartPolicy") {
        return;
    }
    for name in ["livenessProbe", "readinessProbe", "startupProbe", "lifecycle"] {
        if item.get(name).is_some() {
            let message = "is for containers that stay";
            told.add(Kind::Forbidden, item.at(name), message, "remove it, or set restartPolicy: Always");
        }
    }
}

fn sleep(item: &Item<'_>, told: &mut Told) {
    let Some(seconds) = item.get("seconds").and_then(Value::as_i64) else { return };
    let path = item.at("seconds");
    if seconds < 0 {
        told.add(Kind::Invalid, path, "is negative", "use 0 or more");
    } else if let Some(grace) = item.pod.grace.filter(|grace| seconds > *grace) {
        let message = format!("is longer than the {grace} seconds that the pod has to stop");
        told.add(Kind::Invalid, path, message, format!("use at most {grace}"));
    }
}
