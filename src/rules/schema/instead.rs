// SPDX-License-Identifier: Apache-2.0
//! What was probably meant by a value of a wrong type, where the field says it.

use serde_json::Value;

use super::compiled::{Fields, Form, Schema};
use super::hidden;
use super::scalar::Breach;
use super::sentences::{MAX_ITEMS, is_plain, plain};
use crate::rules::path;

/// What was probably meant, where the field says it. A text may be a password and is not repeated.
pub(super) fn instead(schema: &Schema, value: &Value, at: &str) -> Option<String> {
    let place = path::pattern(at);
    let name = at.rsplit('.').next().unwrap_or_default();
    match (&schema.form, value) {
        (Form::Object(fields), Value::String(_)) if fields.known.contains_key("url") => {
            Some(format!("write {name}: {{url: …}}"))
        }
        (Form::Object(_), Value::String(_)) if place == "spec.flowerSpec.auth" => {
            Some("use auth.basic.secretRef, which names a Secret".to_owned())
        }
        (Form::Object(_), Value::String(text)) if place.ends_with(".env[]") => {
            Some(format!("write {{name: {}, value: …}}", variable(text).unwrap_or("…")))
        }
        (Form::Object(_), Value::String(_)) if place.ends_with(".volumes[]") => {
            Some("write {name: …, …} here, and the path under volumeMounts".to_owned())
        }
        (Form::Object(_), Value::String(_)) if place.ends_with(".envFrom[]") => {
            Some("write {secretRef: {name: …}}, or {configMapRef: {name: …}}".to_owned())
        }
        (Form::Object(fields), Value::String(text))
            if !(at.ends_with(']') || hidden::may_hide(at, value)) =>
        {
            spelt_out(fields, text).map(|form| format!("write {name}: {form}"))
        }
        (Form::Object(_), Value::Number(seconds)) if name == "gracefulShutdown" => {
            Some(format!("write {name}: {{timeoutSeconds: {seconds}}}"))
        }
        (Form::Object(fields), Value::Number(number)) if fields.known.contains_key("averageValue") => {
            Some(format!("write {name}: {{type: AverageValue, averageValue: {number}}}"))
        }
        (Form::Object(fields), Value::Bool(true)) if fields.required.is_empty() => {
            Some(format!("write {name}: {{}}"))
        }
        // Without a word the start is asked for.
        (Form::Object(_), Value::Bool(false)) if name == "probes" => {
            Some("write probes: {startup: {type: None}}".to_owned())
        }
        (Form::Object(_), Value::Bool(false)) if place.ends_with(".probes.startup") => {
            Some("write startup: {type: None}".to_owned())
        }
        (Form::Object(_), Value::Bool(false)) => Some("remove it".to_owned()),
        (Form::Object(_), Value::Array(_)) if place == "spec.workerSpec" => {
            Some("use workerPools for several".to_owned())
        }
        (Form::Text(_), Value::Object(parts)) if name == "image" => {
            let part = |name: &str| parts.get(name).map(plain).filter(|part| is_image(part));
            let (repository, tag) = (part("repository").or_else(|| part("name"))?, part("tag")?);
            Some(format!("write image: \"{repository}:{tag}\""))
        }
        (Form::Number(_), Value::String(text)) => {
            let number = text.trim().strip_suffix('%')?.trim_end().parse::<u32>().ok()?;
            Some(format!("write {number}"))
        }
        _ => None,
    }
}

/// The mapping that a text stands for: one of names of the user's own for `a=b`, or one with the field that says most.
fn spelt_out(fields: &Fields, text: &str) -> Option<String> {
    if fields.known.is_empty() {
        let pairs: Option<Vec<(&str, &str)>> = text.split(',').map(|pair| pair.split_once('=')).collect();
        let pairs = pairs.filter(|pairs| pairs.len() <= MAX_ITEMS)?;
        let is_label = |text: &str| is_plain(&text.replace('/', "."));
        let texts = fields.others.as_ref().is_some_and(|others| matches!(others.form, Form::Text(_)));
        let fits = texts && pairs.iter().all(|(key, value)| is_label(key) && is_plain(value));
        let pairs: Vec<String> = pairs.iter().map(|(key, value)| format!("{key}: \"{value}\"")).collect();
        return fits.then(|| format!("{{{}}}", pairs.join(", ")));
    }
    let field = ["type", "size", "host"].iter().find(|field| fields.known.contains_key(**field))?;
    // Words of Kubernetes begin with a capital letter.
    let fits =
        is_plain(text) && (*field != "type" || text.starts_with(|first: char| first.is_ascii_uppercase()));
    fits.then(|| format!("{{{field}: {text}}}"))
}

/// The name in a text such as `A=b`. One in small letters may be a credential that ends with its padding.
fn variable(text: &str) -> Option<&str> {
    let (name, value) = text.split_once('=')?;
    let is_name = |letter: char| letter.is_ascii_uppercase() || letter.is_ascii_digit() || letter == '_';
    let named =
        name.len() <= 64 && name.starts_with(|letter: char| letter.is_ascii_uppercase() || letter == '_');
    (named && name.chars().all(is_name) && !value.is_empty() && !value.starts_with('=')).then_some(name)
}

/// A mapping that was written as another kind has it: what it is, and how it is written here.
pub(super) fn other_form(value: &Value, at: &str) -> Option<Breach> {
    const PARTS: [&str; 5] = ["resource", "containerResource", "pods", "object", "external"];
    let is_metric =
        at.starts_with("spec.scaleTargetRef[") && path::pattern(at) == "spec.scaleTargetRef[].metrics[]";
    if !is_metric || value.get("name").is_some() || value.get("target").is_some() {
        return None;
    }
    let part = PARTS.iter().find_map(|part| value.get(part))?;
    let name = part.get("name").and_then(Value::as_str).filter(|name| ["cpu", "memory"].contains(name));
    let percent = part.pointer("/target/averageUtilization").and_then(Value::as_u64).unwrap_or(80);
    let fix = match name {
        Some(name) => {
            format!("{{name: {name}, target: {{type: Utilization, averageUtilization: {percent}}}}}")
        }
        None => "{name: task_queue_length, target: {type: AverageValue, averageValue: 10}}".to_owned(),
    };
    Some(("is in the form of a HorizontalPodAutoscaler".to_owned(), format!("write {fix}")))
}

/// Whether a text can be a part of the name of an image.
fn is_image(text: &str) -> bool {
    text.len() <= 64 && text.split(['/', ':']).all(is_plain)
}
