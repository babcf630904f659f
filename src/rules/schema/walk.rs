// SPDX-License-Identifier: Apache-2.0
//! An object held against the schema.

use std::collections::HashMap;

use serde_json::{Map, Value};

use super::compiled::{Fields, Form, Items, Schema};
use super::elsewhere;
use super::hidden;
use super::instead;
use super::meant::{self, Place};
use super::metadata;
use super::scalar::{Breach, between};
use super::sentences::{self, below, plain};
use super::{EMPTY, Reading, TYPE, UNKNOWN, VALUE};
use crate::rules::finding::{Finding, Kind, Severity};
use crate::rules::path;
use crate::rules::quoting::{may_be_secret, one_of, quoted};

/// Unknown fields of one mapping that are told one by one: whoever has more of them sees the pattern.
const TOLD: usize = 16;

/// The settings of Celery, where a null means something.
const CONFIG: &str = "spec.common.config";

/// Mappings that need nothing in them: to be there is what switches them on.
const PRESENT: [&str; 8] = [
    "spec.workerSpec",
    "spec.beatSpec",
    "spec.beatSpec.persistence",
    "spec.flowerSpec",
    "spec.flowerSpec.ingress",
    "spec.flowerSpec.persistence",
    "spec.common.broker.redis.tls",
    "spec.common.broker.rabbitmq.tls",
];

/// Reads an object.
pub(super) fn reading(root: &Schema, object: &Value, written: &dyn Fn(&str) -> Option<String>) -> Reading {
    let mut walk = Walk { object, written, above: Vec::new(), findings: Vec::new(), dropped: Vec::new() };
    let stored = walk.value(root, object, "").unwrap_or_default();
    let dropped = walk.dropped.iter().any(|path| path.starts_with("metadata"));
    if !dropped && stored.is_object() && !metadata::has_name(&stored) {
        let breach = ("the object has no name".to_owned(), "set name".to_owned());
        walk.add(VALUE, Kind::Required, "metadata.name", None, breach);
    }
    Reading { object: stored, findings: walk.findings, dropped: walk.dropped }
}

struct Walk<'w> {
    object: &'w Value,
    written: &'w dyn Fn(&str) -> Option<String>,
    /// The mappings from the root down to the one that is read.
    above: Vec<Place<'w>>,
    findings: Vec<Finding>,
    dropped: Vec<String>,
}

impl<'w> Walk<'w> {
    /// The value as it would be stored; `None` when it has the wrong type.
    fn value(&mut self, schema: &'w Schema, value: &Value, at: &str) -> Option<Value> {
        if let Some(breach) = instead::other_form(value, at) {
            self.add(UNKNOWN, Kind::Forbidden, at, None, breach);
            return None;
        }
        let stored = match (&schema.form, value) {
            (Form::Object(fields), Value::Object(object)) => Some(self.fields(fields, object, at)),
            (Form::List(items), Value::Array(list)) => self.items(items, value, list, at),
            (Form::Text(form), Value::String(text)) => {
                self.outside(form.breach(text), value, at);
                Some(value.clone())
            }
            (Form::Number(form), Value::Number(number)) if !form.whole || !number.is_f64() => {
                let number = number.as_f64().unwrap_or_default();
                self.outside(form.breach(number), value, at);
                form.holds(number).then(|| value.clone())
            }
            (Form::NumberOrText, Value::Number(number)) if !number.is_f64() => Some(value.clone()),
            (Form::Any, _) | (Form::Truth, Value::Bool(_)) | (Form::NumberOrText, Value::String(_)) => {
                Some(value.clone())
            }
            _ => {
                self.wrong(schema, value, at);
                return None;
            }
        };
        if !schema.words.is_empty() && !schema.words.contains(value) {
            let words: Vec<String> = schema.words.iter().map(plain).collect();
            let breach = ("is not a valid value".to_owned(), one_of(&words.join(", ")));
            let value = self.shown(value, at);
            self.add(VALUE, Kind::Unsupported, at, value, breach);
        }
        stored
    }

    fn fields(&mut self, fields: &'w Fields, object: &Map<String, Value>, at: &str) -> Value {
        let mut stored = Map::new();
        let (mut wrong, mut meant): (Vec<&str>, Vec<String>) = (Vec::new(), Vec::new());
        let mut unknown = 0;
        self.above.push((at.to_owned(), fields));
        for (name, value) in object {
            let path = below(at, name, fields.known.contains_key(name));
            match fields.known.get(name).or(fields.others.as_ref()) {
                // A null stands for a field that is not there.
                Some(_) if value.is_null() && at == CONFIG => self.empty(name),
                Some(_) if value.is_null() => self.null(&path, object),
                Some(schema) => {
                    if let Some(value) = self.value(schema, value, &path) {
                        stored.insert(name.clone(), value);
                    } else {
                        self.dropped.push(path);
                        wrong.push(name.as_str());
                    }
                }
                None if fields.open => {
                    stored.insert(name.clone(), value.clone());
                }
                None => {
                    unknown += 1;
                    let field = self.unknown(unknown, &below(at, name, true), name, value);
                    let is_absent = |field: &String| path::at(self.object, &under(at, field)).is_none();
                    meant.extend(field.filter(is_absent));
                }
            }
        }
        if unknown > TOLD {
            let message = format!("has these and {} more unknown fields", unknown - TOLD);
            self.add(UNKNOWN, Kind::Forbidden, at, None, (message, "remove them".to_owned()));
        }
        self.above.pop();
        // What is missing under its own name and there under another one, nobody needs to hear of twice.
        self.dropped.extend(meant.iter().map(|field| under(at, field)));
        wrong.extend(meant.iter().map(String::as_str));
        self.incomplete(fields, &mut stored, &wrong, at);
        if fields.max.is_some_and(|max| object.len() as u64 > max) {
            let breach = (format!("has {} entries", object.len()), between("entries", None, fields.max));
            self.add(VALUE, Kind::Invalid, at, None, breach);
        }
        Value::Object(stored)
    }

    /// A field that does not exist, the given one of its mapping; which other one was meant, if that is told.
    fn unknown(&mut self, count: usize, at: &str, name: &str, value: &Value) -> Option<String> {
        if count > TOLD {
            return None;
        }
        let (fix, field) = meant::meant(&self.above, name, value);
        let fix = elsewhere::in_pools(self.object, fix);
        if at == "metadata.spec" {
            self.dropped.push("spec".to_owned());
        }
        self.add(UNKNOWN, Kind::Forbidden, at, None, ("there is no such field".to_owned(), fix));
        field
    }

    /// A null where a field was to be: `workerSpec:` with nothing behind it asks for no worker at all.
    /// So does any other field that switches something on by being there, where nothing is written; who writes `null`
    /// may mean that nothing is asked for.
    fn null(&mut self, at: &str, siblings: &Map<String, Value>) {
        let has_pools = siblings.get("workerPools").is_some_and(|pools| !pools.is_null());
        let name = at.rsplit('.').next().unwrap_or(at);
        let breach = if at == "spec.workerSpec" && !has_pools {
            ("is null".to_owned(), "write workerSpec: {}".to_owned())
        } else if PRESENT.contains(&at) && (self.written)(at).is_some_and(|text| text.is_empty()) {
            ("is empty, as if it were not there".to_owned(), format!("write {name}: {{}}, or remove it"))
        } else {
            return;
        };
        self.add(TYPE, Kind::Forbidden, at, None, breach);
        self.dropped.push(at.to_owned());
    }

    /// A null among the settings.
    fn empty(&mut self, setting: &str) {
        let breach = ("the API server drops a null".to_owned(), sentences::nothing(setting));
        self.add(EMPTY, Kind::Forbidden, &path::entry(CONFIG, setting), None, breach);
    }

    /// Fills in the defaults, and tells what is required and still missing.
    fn incomplete(&mut self, fields: &Fields, stored: &mut Map<String, Value>, wrong: &[&str], at: &str) {
        let defaults =
            fields.known.iter().filter_map(|(name, schema)| Some((name, schema.default.as_ref()?)));
        for (name, default) in defaults {
            if !stored.contains_key(name) && !wrong.contains(&name.as_str()) {
                stored.insert(name.clone(), default.clone());
            }
        }
        let missing = |name: &&String| !stored.contains_key(*name) && !wrong.contains(&name.as_str());
        for path in fields.required.iter().filter(missing).map(|name| below(at, name, true)) {
            if self.dropped.contains(&path) {
                continue;
            }
            let name = path.rsplit('.').next().unwrap_or(&path);
            let breach = ("the field is required and missing".to_owned(), format!("set {name}"));
            self.add(VALUE, Kind::Required, &path, None, breach);
        }
    }

    /// The items; `None` when one of them has the wrong type, since the places of the others must not change.
    fn items(&mut self, items: &'w Items, whole: &Value, list: &[Value], at: &str) -> Option<Value> {
        let count = list.len() as u64;
        let too_many = items.max.is_some_and(|max| count > max);
        if too_many || items.min.is_some_and(|min| count < min) {
            let breach = (format!("has {count} items"), between("items", items.min, items.max));
            self.add(VALUE, Kind::Invalid, at, None, breach);
        }
        // What is far too long is not looked at in every detail.
        if too_many {
            return Some(whole.clone());
        }
        let stored: Vec<Option<Value>> = list
            .iter()
            .enumerate()
            .map(|(index, item)| self.value(&items.item, item, &format!("{at}[{index}]")))
            .collect();
        self.duplicates(items, &stored, at);
        stored.into_iter().collect::<Option<Vec<Value>>>().map(Value::Array)
    }

    fn duplicates(&mut self, items: &Items, stored: &[Option<Value>], at: &str) {
        let mut first: HashMap<String, usize> = HashMap::new();
        for (index, item) in stored.iter().enumerate() {
            let Some(item) = item.as_ref().filter(|_| items.distinct || !items.keys.is_empty()) else {
                continue;
            };
            let key = if items.distinct {
                plain(item)
            } else {
                let part = |key: &String| format!("{key}={}", item.get(key).map(plain).unwrap_or_default());
                items.keys.iter().map(part).collect::<Vec<String>>().join(", ")
            };
            if let Some(before) = first.get(&key) {
                let breach =
                    (format!("is there already, as item {before}"), "remove one of the two".to_owned());
                let key = Some(quoted(&key)).filter(|_| !hidden::may_hide(at, item));
                self.add(VALUE, Kind::Duplicate, &format!("{at}[{index}]"), key, breach);
            } else {
                first.insert(key, index);
            }
        }
    }

    fn wrong(&mut self, schema: &Schema, value: &Value, at: &str) {
        // The object itself has no name of its own.
        let at = if at.is_empty() { "metadata" } else { at };
        let simple = !(value.is_object() || value.is_array() || value.is_null());
        let kind = if simple { Kind::Invalid } else { Kind::Forbidden };
        let is_hidden = may_be_secret(at) || hidden::may_hide(at, value);
        let breach = match instead::instead(schema, value, at) {
            Some(fix) => (sentences::wrong_kind(schema, value), fix),
            None if simple && is_hidden => hidden::wrong(schema, value),
            None => sentences::wrong(schema, value, at, (self.written)(at)),
        };
        let value = self.shown(value, at).filter(|_| simple);
        self.add(TYPE, kind, at, value, breach);
    }

    fn outside(&mut self, breach: Option<Breach>, value: &Value, at: &str) {
        if let Some(breach) = breach {
            let value = self.shown(value, at);
            self.add(VALUE, Kind::Invalid, at, value, breach);
        }
    }

    /// A value for a message: as it is written where that is known. What may be a credential has none.
    fn shown(&self, value: &Value, at: &str) -> Option<String> {
        if may_be_secret(at) || hidden::may_hide(at, value) {
            return None;
        }
        let text = (self.written)(at).or_else(|| (!value.is_null()).then(|| plain(value)));
        text.map(|text| quoted(&text))
    }

    fn add(
        &mut self,
        rule: &'static str,
        kind: Kind,
        at: &str,
        value: Option<String>,
        (message, fix): Breach,
    ) {
        let severity = if rule == EMPTY { Severity::Warn } else { Severity::Deny };
        let finding = Finding {
            rule,
            severity,
            schema: severity == Severity::Deny,
            path: at.to_owned(),
            place: path::place(self.object, at),
            kind,
            value,
            message,
            fix,
        };
        self.findings.push(finding.veiled(self.object));
    }
}

/// A path below another one.
fn under(at: &str, path: &str) -> String {
    if at.is_empty() { path.to_owned() } else { format!("{at}.{path}") }
}
