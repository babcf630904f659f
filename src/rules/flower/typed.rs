// SPDX-License-Identifier: Apache-2.0
//! Rules about options that have a field: one of the two is ignored, and what the operator makes of the field (the
//! Service, the probes, the volume) does not follow the option.

use super::given::{Flower, Given, Place};
use crate::api::FlowerSpec;
use crate::celery::flower::prefix;
use crate::effective::Effective;
use crate::rules::finding::{Kind, Report, Severity};
use crate::rules::rule::{Check, Example, Rule};
use crate::rules::subject::Subject;
use crate::rules::volume;

#[rustfmt::skip] // A table: one rule, one block.
pub(in crate::rules) const RULES: &[Rule] = &[
    Rule {
        id: "F04", severity: Severity::Deny, schema: false, since: "0.1",
        title: "an option that has a field is set by the field alone",
        consequence: "One of the two is ignored; Service and probes ask at another place than where Flower answers.",
        check: Check::object(f04).or(Severity::Warn, "when both say the same, for an address, and for a prefix that cannot be read here"),
        example: Example {
            bad: "spec: {flowerSpec: {servicePort: 8080, args: ['--port=5602'], auth: {allowUnauthenticated: true}}}",
            at: "spec.flowerSpec.args[0]",
            good: "spec: {flowerSpec: {servicePort: 8080, auth: {allowUnauthenticated: true}}}",
            old: None,
        },
    },
    Rule {
        id: "F25", severity: Severity::Deny, schema: false, since: "0.1",
        title: "a certificate has its key, and kubelet knows of both",
        consequence: "Flower ends with \"Both 'certfile' and 'keyfile' are required\"; with both, probes that speak plain HTTP restart it for ever.",
        check: Check::object(f25),
        example: Example {
            bad: "spec: {flowerSpec: {args: ['--certfile=/etc/tls/tls.crt'], auth: {allowUnauthenticated: true}}}",
            at: "spec.flowerSpec.args[0]",
            good: "spec: {flowerSpec: {tls: {secretName: flower-tls}, auth: {allowUnauthenticated: true}}}",
            old: None,
        },
    },
    Rule {
        id: "F27", severity: Severity::Warn, schema: false, since: "0.1",
        title: "a configuration file is there",
        consequence: "Flower ends with FileNotFoundError.",
        check: Check::object(f27),
        example: Example {
            bad: "spec: {flowerSpec: {args: ['--conf=/etc/flower/flowerconfig.py'], auth: {allowUnauthenticated: true}}}",
            at: "spec.flowerSpec.args[0]",
            good: "spec: {common: {volumes: [{name: conf, configMap: {name: flower}}], volumeMounts: [{name: conf, mountPath: /etc/flower}]}, flowerSpec: {args: ['--conf=/etc/flower/flowerconfig.py'], auth: {allowUnauthenticated: true}}}",
            old: None,
        },
    },
];

/// What a field says about an option.
struct Field {
    /// Name of the option.
    option: &'static str,
    /// Name of the field.
    name: &'static str,
    /// What is written; `None` when it is not, an empty text when it cannot be compared.
    written: Option<String>,
}

#[rustfmt::skip] // A table: one option, one line.
fn fields(spec: &FlowerSpec) -> Vec<Field> {
    let auth = spec.auth.as_ref();
    let basic = auth.and_then(|auth| auth.basic.as_ref());
    let oauth = auth.and_then(|auth| auth.oauth.as_ref());
    let there = |is_there: bool| is_there.then(String::new);
    let number = |number: Option<i32>| number.map(|number| number.to_string());
    let switch = |switch: Option<bool>| switch.map(|switch| switch.to_string());
    let row = |option, name, written| Field { option, name, written };
    vec![
        row("port", "servicePort", number(spec.service_port)),
        row("url_prefix", "urlPrefix", spec.url_prefix.as_deref().map(|written| prefix(written).to_owned())),
        row("basic_auth", "auth.basic", there(basic.is_some())),
        row("auth", "auth.oauth", there(oauth.is_some())),
        row("auth_provider", "auth.oauth", there(oauth.is_some())),
        row("oauth2_key", "auth.oauth.keySecretRef", there(oauth.is_some_and(|it| it.key_secret_ref.is_some()))),
        row("oauth2_secret", "auth.oauth.secretSecretRef", there(oauth.is_some_and(|it| it.secret_secret_ref.is_some()))),
        row("oauth2_redirect_uri", "auth.oauth.redirectUri", oauth.and_then(|it| it.redirect_uri.clone())),
        row("cookie_secret", "auth.oauth.cookieSecretRef", there(oauth.is_some_and(|it| it.cookie_secret_ref.is_some()))),
        row("persistent", "persistence", there(spec.persistence.is_some())),
        row("db", "persistence", there(spec.persistence.is_some())),
        row("state_save_interval", "persistence", there(spec.persistence.is_some())),
        row("max_tasks", "maxTasks", number(spec.max_tasks)),
        row("max_workers", "maxWorkers", number(spec.max_workers)),
        row("purge_offline_workers", "purgeOfflineWorkersSeconds", number(spec.purge_offline_workers_seconds)),
        row("broker_api", "brokerApiSecretRef", there(spec.broker_api_secret_ref.is_some())),
        row("read_only", "readOnly", switch(spec.read_only)),
        row("natural_time", "naturalTime", switch(spec.natural_time)),
        row("inspect_timeout", "inspectTimeoutMs", number(spec.inspect_timeout_ms)),
        row("tasks_columns", "tasksColumns", spec.tasks_columns.clone()),
        row("xheaders", "xheaders", switch(spec.xheaders)),
        row("certfile", "tls", there(spec.tls.is_some())),
        row("keyfile", "tls", there(spec.tls.is_some())),
    ]
}

fn f04(subject: &Subject<'_>, report: &mut Report<'_>) {
    let Some(flower) = Flower::of(subject) else { return };
    for field in fields(flower.spec) {
        let Some(written) = &field.written else { continue };
        for given in both(&flower, field.option) {
            let (same, place) = match &given {
                Given::Text(text, place) => (same_value(text, written), place),
                Given::Hidden(place) => (false, place),
                Given::Absent | Given::Unknown => continue,
            };
            let severity = if same { Severity::Warn } else { Severity::Deny };
            let message = format!("flowerSpec.{} sets this too", field.name);
            report.graded(severity, Kind::Forbidden, place.path(), message, "keep the field only");
        }
    }
    unfollowed(&flower, report);
}

/// The option as an argument and as a variable. `FLOWER_PORT` is another rule's matter.
fn both<'a>(flower: &Flower<'a>, option: &str) -> Vec<Given<'a>> {
    let variable =
        (option != "port").then(|| flower.variable(&format!("FLOWER_{}", option.to_ascii_uppercase())));
    std::iter::once(flower.argument(option)).chain(variable).collect()
}

fn same_value(text: &str, written: &str) -> bool {
    !written.is_empty() && text.trim_matches('/').eq_ignore_ascii_case(written)
}

/// Options that change where Flower answers while nobody else hears of it.
fn unfollowed(flower: &Flower<'_>, report: &mut Report<'_>) {
    for given in both(flower, "unix_socket") {
        if let Given::Text(_, place) | Given::Hidden(place) = given {
            let message = "Flower would listen on no port, where Service and probes ask";
            report.add(Kind::Forbidden, place.path(), message, "remove it");
        }
    }
    for given in both(flower, "address") {
        if let Given::Text("" | "0.0.0.0", _) = given {
            continue;
        }
        if let Given::Text(_, place) | Given::Hidden(place) = given {
            let message = "has no effect, Flower listens on every address";
            report.graded(Severity::Warn, Kind::Forbidden, place.path(), message, "remove it");
        }
    }
    if let Some((text, place)) = flower.argument("port").text()
        && flower.spec.service_port.is_none()
        && text.parse::<i64>().is_ok_and(|port| !(1..=65535).contains(&port))
    {
        let fix = "set flowerSpec.servicePort from 1 to 65535";
        report.add(Kind::Invalid, place.path(), "is not a port", fix);
    }
    if let Given::Text(_, place @ Place::Variable(_)) | Given::Hidden(place @ Place::Variable(_)) =
        flower.option("url_prefix")
        && flower.spec.url_prefix.is_none()
    {
        let fix = "set flowerSpec.urlPrefix instead";
        match flower.prefix_of_probes() {
            Effective::Is(_) => {}
            Effective::Unclear => {
                let message = "hides the prefix from probes and Ingress";
                report.graded(Severity::Warn, Kind::Forbidden, place.path(), message, fix);
            }
            Effective::Absent => {
                let message = "the probes would not find Flower below this prefix";
                report.add(Kind::Forbidden, place.path(), message, fix);
            }
        }
    }
}

fn f25(subject: &Subject<'_>, report: &mut Report<'_>) {
    let Some(flower) = Flower::of(subject) else { return };
    if flower.spec.tls.is_some() {
        return; // F04 tells.
    }
    let options = ["certfile", "keyfile"].map(|name| (name, flower.option(name)));
    let set = |given: &Given<'_>| matches!(given, Given::Text(..) | Given::Hidden(_));
    let Some((name, given)) = options.iter().find(|(_, given)| set(given)) else { return };
    let (Given::Text(_, place) | Given::Hidden(place)) = given else { return };
    let fix = "set flowerSpec.tls instead";
    if options.iter().all(|(_, given)| set(given)) {
        let message = "Flower would speak HTTPS and its probes would not";
        report.add(Kind::Forbidden, place.path(), message, fix);
    } else if options.iter().any(|(_, given)| given.is_absent()) {
        let other = if *name == "certfile" { "keyfile" } else { "certfile" };
        report.add(Kind::Forbidden, place.path(), format!("{name} needs {other} too"), fix);
    }
}

fn f27(subject: &Subject<'_>, report: &mut Report<'_>) {
    let Some(flower) = Flower::of(subject) else { return };
    let conf = flower.argument("conf");
    let Some((file, place)) = conf.text().filter(|(file, _)| !file.is_empty() && *file != "flowerconfig.py")
    else {
        return;
    };
    if !flower.mounts().iter().any(|mount| *mount == file || volume::holds(mount, file)) {
        let message = "the file of --conf is on no volume, so must be in the image";
        report.add(Kind::Forbidden, place.path(), message, "mount it, or use the fields");
    }
}
