// SPDX-License-Identifier: Apache-2.0
//! How values get into messages: cut, in one line, and without credentials, whatever field they stand in.

use std::borrow::Cow;

use serde_json::Value;

use super::path;
use super::signs::{hints_at_one, is_readable, is_secret};
use crate::celery::broker_url::{credentials, shown, veiled};

/// Longest quoted value in a message.
const MAX_QUOTED: usize = 64;

/// What stands for a text that nobody is to see.
const HIDDEN: &str = "***";

/// A text for a message: cut at 64 characters, control characters escaped, credentials masked in whatever form they have.
#[must_use]
pub(crate) fn quoted(text: &str) -> String {
    line(&without_credentials(text))
}

/// As much of a text as stands in a line.
fn line(text: &str) -> String {
    let mut line: String = text.chars().take(MAX_QUOTED).flat_map(char::escape_debug).collect();
    if text.chars().nth(MAX_QUOTED).is_some() {
        line.push('…');
    }
    line
}

/// A text as it may stand in a line of a terminal or of a log: what would end the line, move the cursor, turn the order of
/// reading around or not be seen at all is escaped. Marks and backslashes are as they are, so that a text which went
/// through here once stays the same.
#[must_use]
pub(crate) fn visible(text: &str) -> Cow<'_, str> {
    if !text.contains(acts) {
        return Cow::Borrowed(text);
    }
    let mut escaped = String::with_capacity(text.len() + 16);
    for letter in text.chars() {
        if acts(letter) { escaped.extend(letter.escape_debug()) } else { escaped.push(letter) }
    }
    Cow::Owned(escaped)
}

/// Whether a letter acts on its reader instead of being read: controls, those of Unicode's order of reading, ends of lines,
/// tags, and what has no width.
#[must_use]
pub(crate) fn acts(letter: char) -> bool {
    letter.is_control()
        || matches!(letter,
            '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

/// What to use, out of words with commas between them.
#[must_use]
pub(super) fn one_of(words: &str) -> String {
    match words.split_once(", ") {
        None => format!("use {words}"),
        Some((one, other)) if !other.contains(", ") => format!("use {one} or {other}"),
        Some(_) => format!("use one of {words}"),
    }
}

/// The whole text, or what may be shown of it: of a URL all but its credentials.
fn without_credentials(text: &str) -> String {
    let shown = shown(text);
    if hints_at_one(&shown) { HIDDEN.to_owned() } else { shown }
}

/// A path as it may be shown: where a credential stands in the place of a name, the path ends there.
#[must_use]
pub(super) fn shown_path(path: &str) -> String {
    if without_credentials(path) == path {
        return visible(path).into_owned();
    }
    // Names of fields and positions of items.
    let is_plain = |letter: char| letter.is_ascii_alphanumeric() || ".[]".contains(letter);
    let begin = path.find(|letter| !is_plain(letter)).unwrap_or_default();
    let end = path[..begin].rfind(['.', '[']).unwrap_or_default();
    format!("{}[{HIDDEN}]", &path[..end])
}

/// The name of an object as it may be shown.
#[must_use]
pub(crate) fn shown_name(name: &str) -> String {
    visible(&without_credentials(name)).into_owned()
}

/// The same for every text in a value: between quotes and brackets none is recognised.
fn veiled_value(value: &Value) -> Value {
    match value {
        Value::String(text) => Value::String(without_credentials(text)),
        Value::Array(items) => items.iter().map(veiled_value).collect(),
        Value::Object(fields) => {
            let hidden =
                |name: &str, value: &Value| is_secret(name) && value.as_str().is_some_and(is_readable);
            let entry = |(name, value): (&String, &Value)| {
                let value = if hidden(name, value) { HIDDEN.into() } else { veiled_value(value) };
                (without_credentials(name), value)
            };
            fields.iter().map(entry).collect()
        }
        other => other.clone(),
    }
}

/// A sentence about what stands at a path, without the credentials in that, and with what stands between its first
/// quote and its last one as it may be shown. The rest is ours, and may say how a URL with a password is written.
#[must_use]
pub(super) fn sentence(text: &str, raw: &Value, path: &str) -> String {
    visible(&without_secret(text, raw, path)).into_owned()
}

fn without_secret(text: &str, raw: &Value, path: &str) -> String {
    let about = path::at(raw, path).and_then(Value::as_str);
    let secret =
        about.and_then(|about| Some(&about[credentials(about)?])).filter(|secret| text.contains(secret));
    let text = secret.map_or_else(|| text.to_owned(), |secret| text.replace(secret, HIDDEN));
    match (text.find('"'), text.rfind('"')) {
        (Some(begin), Some(end)) if begin < end => {
            let inside = &text[begin + 1..end];
            let inside = if hints_at_one(inside) { HIDDEN.to_owned() } else { veiled(inside) };
            format!("{}{inside}{}", &text[..=begin], &text[end..])
        }
        _ => text,
    }
}

/// Whether the value of a variable stands at a path: any may be a password, one of digits alone too.
#[must_use]
pub(super) fn may_be_secret(path: &str) -> bool {
    path.ends_with("].value") && path.contains(".env[")
}

/// Whether a text in the place of a key of a Secret is none: people write there what the key holds.
fn is_no_key(path: &str, value: &Value) -> bool {
    let is_of_key =
        |text: &str| text.chars().all(|letter| letter.is_ascii_alphanumeric() || "-._".contains(letter));
    ["SecretRef.key", "secretRef.key", "secretKeyRef.key"].iter().any(|end| path.ends_with(end))
        && value.as_str().is_some_and(|text| !is_of_key(text))
}

/// Maps of texts that people put tokens into.
const NOTES: [&str; 5] = ["podLabels", "podAnnotations", "serviceAnnotations", "labels", "annotations"];

/// Whether a label or an annotation stands at a path.
fn is_note(path: &str) -> bool {
    NOTES
        .into_iter()
        .filter_map(|map| path.rsplit_once(map))
        .any(|(before, behind)| before.ends_with('.') && behind.starts_with(['.', '[']))
}

/// The value at a path of an object, for a message.
#[must_use]
pub(super) fn value_at(raw: &Value, path: &str) -> Option<String> {
    let is_shown = |value: &&Value| !may_be_secret(path) && !is_note(path) && !is_no_key(path, value);
    match path::at(raw, path).filter(is_shown)? {
        Value::Null => None,
        Value::String(text) => Some(quoted(text)),
        Value::Array(items) if !items.is_empty() && items.iter().all(Value::is_string) => {
            let items: Vec<String> =
                items.iter().filter_map(Value::as_str).map(without_credentials).collect();
            Some(line(&items.join(", ")))
        }
        other => Some(line(&veiled_value(other).to_string())),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_may_be_a_secret_is_not_shown() {
        let notes = json!({"token": "hush", "example.com/token": "hush"});
        let root = json!({"spec": {
            "podLabels": notes, "ingress": {"annotations": notes}, "podTemplate": {"metadata": {"labels": notes}},
            "serviceAnnotations": notes, "nodeSelector": {"labels": "ssd"}, "env": [{"value": "hush"}],
        }});
        for path in [
            "spec.podLabels.token",
            "spec.podLabels[example.com/token]",
            "spec.ingress.annotations.token",
            "spec.podTemplate.metadata.labels[example.com/token]",
            "spec.serviceAnnotations.token",
            "spec.env[0].value",
        ] {
            assert!(path::at(&root, path).is_some(), "{path}");
            assert_eq!(value_at(&root, path), None, "{path}");
        }
        let key = |key: &str| value_at(&json!({"secretRef": {"key": key}}), "secretRef.key");
        assert_eq!((key("ann:hush"), key("url").as_deref()), (None, Some("url")));
        assert_eq!(value_at(&root, "spec.nodeSelector.labels").as_deref(), Some("ssd"));
    }

    #[test]
    fn a_path_ends_where_a_credential_is_a_name() {
        for (path, shown) in [
            ("spec.common.broker[redis://:hush@x/0]", "spec.common.broker[***]"),
            ("spec.common.env[0][PASSWORD=hush]", "spec.common.env[0][***]"),
            ("spec.common.env[0].PASSWORD=hush", "spec.common.env[0][***]"),
            ("spec.common.config[app:hush@x].name", "spec.common.config[***]"),
            ("spec.workerSpec.podAnnotations[PASSWORD: hush]", "spec.workerSpec.podAnnotations[***]"),
            ("redis://:hush@x", "[***]"),
            ("spec.common.config[a-b.c/d]", "spec.common.config[a-b.c/d]"),
            (
                "spec.common.transportOptions.sentinel_kwargs.password",
                "spec.common.transportOptions.sentinel_kwargs.password",
            ),
        ] {
            assert_eq!(shown_path(path), shown);
        }
    }

    #[test]
    fn nothing_acts_on_a_terminal_or_on_who_reads_a_log() {
        for letter in
            ['\n', '\r', '\u{0}', '\u{1b}', '\u{7f}', '\u{9b}', '\u{ad}', '\u{61c}', '\u{200b}', '\u{200d}']
                .into_iter()
                .chain(['\u{200e}', '\u{200f}', '\u{2028}', '\u{2029}', '\u{feff}', '\u{e0041}', '\u{180e}'])
                .chain('\u{202a}'..='\u{202e}')
                .chain('\u{2060}'..='\u{206f}')
        {
            let text = format!("a{letter}::error b");
            let root = json!({ "a": text });
            for shown in [
                visible(&text).into_owned(),
                quoted(&text),
                shown_path(&format!("spec.common.config[{text}]")),
                shown_name(&text),
                sentence(&text, &root, "a"),
                value_at(&root, "a").unwrap_or_default(),
            ] {
                assert!(!shown.contains(acts) && shown.contains("::error b"), "{letter:?}: {shown}");
            }
        }
        for plain in [r#"a "b" \n 'c'"#, "größe ß 日本 e\u{301}", ""] {
            assert_eq!(visible(plain), plain);
        }
        assert_eq!(visible("a\n\u{1b}[2Jb\u{202e}"), r"a\n\u{1b}[2Jb\u{202e}");
    }

    #[test]
    fn a_value_loses_its_credentials_wherever_it_stands() {
        let root = json!({"a": "app:hush@cache", "b": ["x", "--db-password=hush", {"c": "redis://:hush@cache"}], "d": "a:b"});
        for (at, shown) in [
            ("a", "***@cache"),
            ("b", r#"[\"x\",\"***\",{\"c\":\"redis://***@cache\"}]"#),
            ("b[1]", "***"),
            ("d", "a:b"),
        ] {
            assert_eq!(value_at(&root, at).as_deref(), Some(shown), "{at}");
        }
        assert_eq!(quoted("app:hush@cache"), "***@cache");
        for (text, shown) in [
            ("write --app:hush@cache", "write --***@cache"),
            (r#"lacks "b:hu\"sh@c", as user:password@"#, r#"lacks "***@c", as user:password@"#),
            ("write user:password@host", "write user:password@host"),
        ] {
            assert_eq!(sentence(text, &root, "a"), shown);
        }
    }
}
