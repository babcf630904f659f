// SPDX-License-Identifier: Apache-2.0
//! What others say: the API server, policies and webhooks of somebody else, the controllers behind a child.
//!
//! Such a text may quote whatever it was about, in whatever form. It enters a message here and nowhere else: without the
//! credentials that are known from the object it is about, without what looks like one, in one line, and cut.

use std::collections::BTreeSet;

use percent_encoding::percent_decode_str;
use serde_json::Value;

use super::signs::{announces_one, is_credential, is_readable, is_secret, lists_users, passwords};
use crate::celery::broker_url::{credentials, shown};
use crate::celery::expansion::expands;

/// Longest text that is passed on.
const MAX_TEXT: usize = 512;
/// What stands for a text that nobody is to see.
const HIDDEN: &str = "***";
/// A shorter secret is looked for as a whole word: its letters stand in every other word.
const SHORT: usize = 4;
/// The value of a variable of any name may be a secret; a shorter one is too common a word.
const TELLING: usize = 6;
/// What Kubernetes says behind the name of a field, which is no value of it.
const VERDICTS: [&str; 9] = [
    "Required value",
    "Invalid value",
    "Forbidden",
    "Not found",
    "Duplicate value",
    "Unsupported value",
    "Too long",
    "Too many",
    "Internal error",
];

/// What somebody else says, as it may be passed on. `about` is what they may quote.
#[must_use]
pub(crate) fn overheard(text: &str, about: &Value) -> String {
    let mut secrets = Secrets::default();
    secrets.collect(about);
    let masked = secrets.without(text);
    let words: Vec<String> = masked.split_whitespace().map(shown).collect();
    let line = without_named(&words.join(" "));
    let line = line.chars().map(|letter| if letter.is_control() { ' ' } else { letter });
    let mut line: Vec<char> = line.take(MAX_TEXT + 1).collect();
    if line.len() > MAX_TEXT {
        line.truncate(MAX_TEXT - 1);
        line.push('…');
    }
    line.into_iter().collect()
}

/// The texts of an object that nobody is to see. Not `Debug`.
#[derive(Default)]
struct Secrets {
    /// Wherever they stand.
    certain: BTreeSet<String>,
    /// As whole words.
    possible: BTreeSet<String>,
}

impl Secrets {
    fn collect(&mut self, value: &Value) {
        match value {
            Value::String(text) => self.collect_text(text),
            Value::Array(items) => {
                for pair in items.windows(2) {
                    let [Value::String(option), Value::String(value)] = pair else { continue };
                    self.collect_option(option, value);
                }
                for item in items {
                    self.collect(item);
                }
            }
            Value::Object(fields) => {
                if let (Some(Value::String(name)), Some(Value::String(value))) =
                    (fields.get("name"), fields.get("value"))
                {
                    self.collect_variable(name, value);
                }
                for (name, value) in fields {
                    // The name of a Secret is none.
                    let is_named = is_secret(name) && !name.ends_with("Name") && !name.ends_with("Ref");
                    match value {
                        Value::String(text) if is_named && is_readable(text) => self.add(text),
                        other => self.collect(other),
                    }
                }
            }
            _ => {}
        }
    }

    fn collect_variable(&mut self, name: &str, value: &str) {
        self.collect_option(name, value);
        if is_secret(name) && is_readable(value) && is_credential(name, value) {
            self.add(value);
        } else if value.chars().count() >= TELLING && is_readable(value) && !value.contains("://") {
            self.possible.insert(value.to_owned());
        }
    }

    fn collect_option(&mut self, option: &str, value: &str) {
        if option.to_lowercase().replace('-', "_").ends_with("basic_auth") && lists_users(value) {
            self.collect_users(value);
        }
        if announces_one(option, value) {
            self.add(value);
        }
    }

    fn collect_users(&mut self, users: &str) {
        let passwords = users.split(',').filter_map(|user| Some(user.split_once(':')?.1));
        for password in passwords {
            self.add(password);
        }
    }

    /// The credentials in a text: of its URLs, of `user:password@host`, and of what is named like a secret.
    fn collect_text(&mut self, text: &str) {
        passwords(text).for_each(|password| self.add(password));
        if let Some(place) = credentials(text) {
            let info = &text[place];
            let info = info.split_once("://").map_or(info, |(_, info)| info);
            self.add(info.split_once(':').map_or(info, |(_, password)| password));
        }
        let parts = text.split(|letter: char| letter.is_whitespace() || "?&;|".contains(letter));
        for (name, value) in parts.filter_map(|part| part.split_once('=')) {
            let value = value.trim_matches(['"', '\'']);
            if is_secret(name) && is_readable(value) {
                self.add(value);
                self.add(value.split(',').next().unwrap_or_default());
            } else if name.replace('-', "_").ends_with("basic_auth") {
                self.collect_users(value);
            }
        }
    }

    /// A secret, as it is written and as others may write it.
    fn add(&mut self, secret: &str) {
        if secret.is_empty() || expands(secret) {
            return;
        }
        let known = if secret.chars().count() < SHORT { &mut self.possible } else { &mut self.certain };
        let decoded = percent_decode_str(secret).decode_utf8_lossy();
        for form in [secret, &*decoded] {
            known.insert(form.to_owned());
            let quoted = Value::from(form).to_string();
            known.insert(quoted.trim_matches('"').to_owned());
        }
    }

    fn without(&self, text: &str) -> String {
        let mut certain: Vec<&String> = self.certain.iter().filter(|secret| !secret.is_empty()).collect();
        // One may be part of another.
        certain.sort_by_key(|secret| std::cmp::Reverse(secret.len()));
        let mut text = text.to_owned();
        for secret in certain {
            text = text.replace(secret.as_str(), HIDDEN);
        }
        for secret in self.possible.iter().filter(|secret| !secret.is_empty()) {
            text = without_word(&text, secret);
        }
        text
    }
}

/// A text without a word, where that stands alone.
fn without_word(text: &str, word: &str) -> String {
    let joins = |letter: char| letter.is_alphanumeric() || "-_.".contains(letter);
    let mut shown = String::with_capacity(text.len());
    let mut done = 0;
    for (at, _) in text.match_indices(word) {
        let end = at + word.len();
        let behind = text[end..].trim_start_matches('.');
        let is_alone = !text[..at].ends_with(joins) && !behind.starts_with(joins);
        if is_alone {
            shown.push_str(&text[done..at]);
            shown.push_str(HIDDEN);
            done = end;
        }
    }
    shown.push_str(&text[done..]);
    shown
}

/// A text without the values of what is named like a secret: `PASSWORD=x`, `token: "x"`, `--password x`.
fn without_named(text: &str) -> String {
    let is_name = |letter: char| letter.is_ascii_alphanumeric() || "-_.".contains(letter);
    let (mut shown, mut rest) = (String::with_capacity(text.len()), text);
    while let Some(begin) = rest.find(is_name) {
        let end = rest[begin..].find(|letter| !is_name(letter)).map_or(rest.len(), |end| begin + end);
        let (name, behind) = (&rest[begin..end], &rest[end..]);
        shown.push_str(&rest[..end]);
        rest = behind;
        if !is_secret(name.rsplit('.').next().unwrap_or_default()) {
            continue;
        }
        if let Some((before, value)) = value_behind(name, behind) {
            shown.push_str(&behind[..before]);
            shown.push_str(HIDDEN);
            rest = &behind[before + value..];
        }
    }
    shown.push_str(rest);
    shown
}

/// How far behind a name its value begins, and how long it is.
fn value_behind(name: &str, behind: &str) -> Option<(usize, usize)> {
    let sign = behind.trim_start_matches(['"', '\'']).trim_start();
    let value = match sign.strip_prefix(['=', ':']) {
        Some(value) => value.trim_start(),
        None if name.starts_with("--") && behind.starts_with(char::is_whitespace) => sign,
        None => return None,
    };
    let is_told = VERDICTS.iter().any(|verdict| value.starts_with(verdict));
    let quote = value.chars().next().filter(|first| "\"'".contains(*first));
    let value = quote.map_or(value, |quote| &value[quote.len_utf8()..]);
    let ends = |letter: char| {
        quote.map_or_else(|| letter.is_whitespace() || ",;}])".contains(letter), |quote| letter == quote)
    };
    let length = value.find(ends).unwrap_or(value.len());
    let is_masked = value[..length].contains(HIDDEN);
    let is_value = !is_told && !is_masked && is_readable(&value[..length]);
    is_value.then_some((behind.len() - value.len(), length))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// A Deployment with a password in every place that one may stand in.
    fn deployment() -> Value {
        json!({"metadata": {"name": "shop-worker"}, "spec": {"template": {"spec": {
            "imagePullSecrets": [{"name": "registry-login"}],
            "containers": [{
                "name": "celery",
                "args": ["--password", "hush-argument", "--api=http://u:hush-api@mq/", "--basic-auth=a:hush-user,b:hush-other"],
                "env": [
                    {"name": "CELERY_BROKER_URL", "value": "redis://:hunter2@cache:6379/0"},
                    {"name": "RESULT", "value": "db+postgresql://u:p%40ss%2Fword@db/x?password=hush-query"},
                    {"name": "DB_PASSWORD", "value": "quo\"ted"},
                    {"name": "OTHER", "value": "anything"},
                    {"name": "SHORT_TOKEN", "value": "e"},
                    {"name": "REF", "value": "redis://:$(PASSWORD)@cache"},
                    {"name": "KEYED", "valueFrom": {"secretKeyRef": {"name": "the-secret", "key": "url"}}},
                ],
            }],
            "volumes": [{"name": "v", "secret": {"secretName": "certificates"}}],
        }}}})
    }

    #[test]
    fn a_credential_of_the_object_is_not_passed_on_in_whatever_form_it_is_quoted() {
        for (text, expected) in [
            (
                "plain passwords are not allowed: redis://:hunter2@cache:6379/0",
                "plain passwords are not allowed: redis://***@cache:6379/0",
            ),
            ("hunter2 is too short", "*** is too short"),
            ("(hunter2)", "(***)"),
            ("env p%40ss%2Fword or p@ss/word", "env *** or ***"),
            (r#"value "quo\"ted" or quo"ted"#, r#"value "***" or ***"#),
            ("anything goes, anything. but anything-else stays", "*** goes, ***. but anything-else stays"),
            ("hush-argument hush-api hush-user hush-other hush-query", "*** *** *** *** ***"),
            ("the letter e alone, 'e'", "the letter *** alone, '***'"),
            (
                "uses Secret the-secret, certificates and registry-login",
                "uses Secret the-secret, certificates and registry-login",
            ),
            ("redis://:$(PASSWORD)@cache", "redis://***@cache"),
        ] {
            assert_eq!(overheard(text, &deployment()), expected);
        }
    }

    #[test]
    fn what_looks_like_a_credential_is_not_passed_on_although_nobody_knows_it() {
        for (text, expected) in [
            ("was redis://:former@cache before", "was redis://***@cache before"),
            ("amqp://u:former@mq", "amqp://***@mq"),
            ("PASSWORD=former is weak", "PASSWORD=*** is weak"),
            (r#"{"token": "for mer", "a": 1}"#, r#"{"token": "***", "a": 1}"#),
            ("--password former --loglevel info", "--password *** --loglevel info"),
            ("db.password: former;", "db.password: ***;"),
            // What Kubernetes says of fields stays.
            ("spec.imagePullSecrets: Required value", "spec.imagePullSecrets: Required value"),
            (
                "env[0].valueFrom.secretKeyRef: Invalid value: \"\"",
                "env[0].valueFrom.secretKeyRef: Invalid value: \"\"",
            ),
            ("automountServiceAccountToken: true", "automountServiceAccountToken: true"),
            ("image app@sha256:0123 is too old", "image app@sha256:0123 is too old"),
            ("exceeded quota: small, used: pods=2", "exceeded quota: small, used: pods=2"),
        ] {
            assert_eq!(overheard(text, &Value::Null), expected);
        }
    }

    #[test]
    fn it_is_one_line_and_has_an_end() {
        assert_eq!(overheard("a\n b\tc\u{7}", &Value::Null), "a b c ");
        let long = overheard(&"é ".repeat(4000), &Value::Null);
        assert_eq!(long.chars().count(), MAX_TEXT);
        assert!(long.ends_with('…'));
        assert_eq!(overheard("", &deployment()), "");
    }
}
