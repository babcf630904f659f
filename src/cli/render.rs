// SPDX-License-Identifier: Apache-2.0
//! `render`: the children of a Celery without a cluster.
//!
//! Credentials are replaced before anything is made of them, so that no way leads from a Secret to the output. What is
//! written into the Celery itself is printed as it will be applied: these are the real objects.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::process::ExitCode;

use serde_json::Value;

use super::lint::{self, Known, Verdict};
use super::{Cluster, Render, print};
use crate::annotations::Asked;
use crate::api::Celery;
use crate::build::{self, Capabilities, ChildKind, Children};
use crate::celery::broker_url::{REDACTED, redacted};
use crate::celery::expansion::expands;
use crate::celery::options::flower::OPTIONS;
use crate::labels::RENDERED_HASH;
use crate::names;
use crate::resolve::{self, SecretData, Sources};

/// What explains it.
const COMMENT: &str = "# Credentials are not printed: REDACTED stands for them.\n";

/// Why a scaler is not rendered.
const NO_KEDA: &str = "the cluster has no KEDA, as --without-keda says";
/// Why a monitor is not rendered.
const NO_MONITORS: &str = "the cluster has no Prometheus operator, as --without-monitors says";

/// Judges, and prints the children of what would be stored.
pub(super) fn run(render: &Render) -> ExitCode {
    let outcome = lint::outcome(&render.documents, render.cluster);
    let Cluster { without_keda, without_monitors } = render.cluster;
    let capabilities = Capabilities { keda: !without_keda, monitors: !without_monitors };
    let mut documents = Vec::new();
    let mut notes = lint::findings(&outcome);
    for verdict in outcome.verdicts.iter().filter(|verdict| !verdict.is_denied()) {
        let Ok(celery) = serde_json::from_value::<Celery>(verdict.object.clone()) else { continue };
        let celery = at_home(celery, verdict);
        let file = print::file(&verdict.file);
        let sources = sources(&celery, verdict, &outcome.known, &mut notes);
        let resolved = resolve::resolved(&celery, &sources);
        let mut children = build::children(&resolved, capabilities);
        let asked = Asked::of(celery.metadata.annotations.as_ref());
        children.manifests =
            children.manifests.into_iter().map(|manifest| restarted(manifest, &asked)).collect();
        // A claim that is kept is one that is there already.
        let unknown = children.kept.iter().filter(|(kind, _)| *kind != ChildKind::PersistentVolumeClaim);
        for (kind, name) in unknown {
            let is_scaler = *kind == ChildKind::ScaledObject;
            // What the scaler would need beside it is no loss of its own.
            let is_beside =
                *kind == ChildKind::TriggerAuthentication || *name == names::keda_secret(&resolved.app);
            let why = match without_keda {
                true if is_scaler => NO_KEDA,
                true if is_beside => continue,
                _ => "what it depends on is not known",
            };
            let _ = writeln!(notes, "{file}: not rendered: {} {name}, {why}", kind.as_str());
        }
        if without_monitors && resolved.flower.as_ref().is_some_and(|flower| flower.is_monitored) {
            let (kind, name) = (ChildKind::ServiceMonitor.as_str(), names::flower(&resolved.app));
            let _ = writeln!(notes, "{file}: not rendered: {kind} {name}, {NO_MONITORS}");
        }
        documents.extend(texts(children));
    }
    notes.push_str(&lint::troubles(&outcome));
    print::errors(&notes);
    print::text(&documents.join("---\n"), outcome.code())
}

/// A manifest with what its owner's annotations ask for. What the cluster holds is not known here.
fn restarted(manifest: build::Manifest, asked: &Asked) -> build::Manifest {
    let nothing = (BTreeMap::new(), BTreeMap::new());
    let stamped = build::stamped(&manifest, None, &nothing.0, &nothing.1, asked.restart.as_deref());
    stamped.manifest.into_owned()
}

/// The object in the namespace it would be applied to.
fn at_home(mut celery: Celery, verdict: &Verdict) -> Celery {
    celery.metadata.namespace = Some(verdict.namespace.clone());
    celery
}

fn texts(children: Children) -> Vec<String> {
    let text = |manifest: build::Manifest| {
        let (mut body, secret) = (manifest.body, manifest.kind == ChildKind::Secret);
        if let Some(metadata) = body.get_mut("metadata").and_then(Value::as_object_mut) {
            metadata.remove("ownerReferences");
            if let Some(annotations) = metadata.get_mut("annotations").and_then(Value::as_object_mut) {
                annotations.remove(RENDERED_HASH);
            }
            if metadata.get("annotations").and_then(Value::as_object).is_some_and(serde_json::Map::is_empty) {
                metadata.remove("annotations");
            }
        }
        if secret {
            readable(&mut body);
        }
        if manifest.kind == ChildKind::Deployment {
            without_literals(&mut body);
        }
        let yaml = serde_saphyr::to_string(&body).unwrap_or_default();
        if secret { format!("{COMMENT}{yaml}") } else { yaml }
    };
    children.manifests.into_iter().map(text).collect()
}

/// A Secret's fields as texts, without what came from an inline URL.
fn readable(body: &mut Value) {
    let Some(fields) = body.as_object_mut() else { return };
    let data = fields.remove("data").unwrap_or_default();
    let decoded = serde_json::from_value::<BTreeMap<String, k8s_openapi::ByteString>>(data);
    let texts = decoded.unwrap_or_default().into_iter().map(|(key, bytes)| {
        let text = String::from_utf8_lossy(&bytes.0).into_owned();
        let shown = match key.as_str() {
            "username" | "password" => REDACTED.to_owned(),
            _ if text.contains("://") => redacted(&text),
            _ => text,
        };
        (key, Value::String(shown))
    });
    let texts = Value::Object(texts.collect());
    fields.insert("stringData".to_owned(), texts);
}

/// Replaces the credentials that somebody wrote among the arguments of a container.
fn without_literals(body: &mut Value) {
    let containers = body.pointer_mut("/spec/template/spec/containers").and_then(Value::as_array_mut);
    for container in containers.into_iter().flatten() {
        let words = container.get_mut("args").and_then(Value::as_array_mut);
        for word in words.into_iter().flatten() {
            if let Value::String(text) = word
                && let Some(shown) = without_credential(text)
            {
                *text = shown;
            }
        }
    }
}

/// An argument of Flower without its credential; nothing where there is none to hide.
fn without_credential(word: &str) -> Option<String> {
    let (option, value) = word.split_once('=')?;
    let name = option.strip_prefix('-')?.trim_start_matches('-').replace('-', "_");
    let known = OPTIONS.iter().find(|known| known.name == name)?;
    (known.hides(value) && !expands(value)).then(|| format!("{option}={REDACTED}"))
}

/// A place of the spec that names a key of a Secret.
struct Reference {
    secret: String,
    key: String,
    /// Whether the key holds a URL; a single credential otherwise.
    is_url: bool,
}

/// Every `{name, key}` of the spec, whatever the field is called; a URL is expected where the field says so.
fn references(field: &str, value: &Value, found: &mut Vec<Reference>) {
    match value {
        Value::Object(fields) => {
            let text = |name: &str| fields.get(name).and_then(Value::as_str).map(str::to_owned);
            if let (Some(secret), Some(key)) = (text("name"), text("key")) {
                found.push(Reference { secret, key, is_url: field.to_lowercase().contains("url") });
            }
            fields.iter().for_each(|(field, value)| references(field, value, found));
        }
        Value::Array(items) => items.iter().for_each(|value| references(field, value, found)),
        _ => {}
    }
}

/// The Secrets that the spec names, with placeholders for what they hold.
fn sources(celery: &Celery, verdict: &Verdict, known: &Known, notes: &mut String) -> Sources {
    let mut all = Vec::new();
    references("", verdict.object.get("spec").unwrap_or(&Value::Null), &mut all);
    let mut sources = Sources::default();
    for name in resolve::secrets(&celery.spec) {
        let of_this = || all.iter().filter(|reference| reference.secret == name);
        let is_url = |key: &str| of_this().any(|reference| reference.is_url && reference.key == key);
        let data = if let Some(texts) = known.secret(&verdict.namespace, &name) {
            let hidden = |(key, text): (&String, &String)| {
                let text = if is_url(key) { redacted(text) } else { REDACTED.to_owned() };
                (key.clone(), text)
            };
            Some(texts.0.iter().map(hidden).collect())
        } else if of_this().any(|reference| reference.is_url) {
            let _ = writeln!(
                notes,
                "{}: Secret {name:?} is not in the input: its URL is not known; pass the file with the Secret too, \
                 of which no credential is printed",
                print::file(&verdict.file)
            );
            None
        } else {
            let credential = |reference: &Reference| (reference.key.clone(), REDACTED.to_owned());
            Some(of_this().map(credential).collect::<SecretData>())
        };
        sources.secrets.insert(name, data);
    }
    sources
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn credentials_among_arguments_are_replaced() {
        for (word, shown) in [
            ("--basic_auth=ann:hunter2", Some("--basic_auth=REDACTED")),
            ("--basic-auth=ann:hunter2", Some("--basic-auth=REDACTED")),
            ("-cookie_secret=hunter2", Some("-cookie_secret=REDACTED")),
            ("--broker_api=http://ann:hunter2@mq/api/", Some("--broker_api=REDACTED")),
            ("--broker_api=http://mq/api/", None),
            ("--oauth2_secret=$(SECRET)", None),
            ("--port=5555", None),
            ("basic_auth", None),
        ] {
            assert_eq!(without_credential(word).as_deref(), shown, "{word}");
        }
    }
}
