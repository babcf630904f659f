// SPDX-License-Identifier: Apache-2.0
//! Which values a message does not repeat, since they may be credentials that somebody wrote into the wrong place, and
//! what to say instead.

use serde_json::Value;

use super::compiled::{Form, Schema};
use super::sentences::{form, wrong_kind};
use crate::rules::path;

/// Parts of names and texts that announce a credential.
const ANNOUNCING: [&str; 9] =
    ["passw", "pwd", "secret", "token", "auth", "credential", "apikey", "api_key", "private"];
/// The names of places where anything may be one.
const PLACES: [&str; 3] = ["auth", "env", "envFrom"];

/// Whether a value at a path may be a credential. A truth value is none.
pub(super) fn may_hide(at: &str, value: &Value) -> bool {
    !value.is_boolean() && (is_private(at) || value.as_str().is_some_and(announces_one))
}

/// Whether what stands at a path, or the name of a field above it, says that it is about credentials.
fn is_private(at: &str) -> bool {
    path::pattern(at).split(['.', '[', ']', '/']).any(|name| {
        let lower = name.to_lowercase();
        PLACES.contains(&name)
            || ["secret", "passw", "token", "credential"].iter().any(|part| lower.contains(part))
    })
}

/// Whether a text speaks of a credential, or is a line with a URL that may hold one.
fn announces_one(text: &str) -> bool {
    let lower = text.to_lowercase();
    ANNOUNCING.iter().any(|part| lower.contains(part))
        || text.contains("://") && text.contains('@') && text.contains(char::is_whitespace)
}

/// What is wrong with a hidden value of the wrong type, and what to write; nothing of it is repeated.
pub(super) fn wrong(schema: &Schema, value: &Value) -> (String, String) {
    let fix = match (&schema.form, value) {
        (Form::Text(_), Value::Number(_) | Value::Bool(_)) => {
            return ("is a number or a truth value to YAML".to_owned(), "put it in quotes".to_owned());
        }
        (Form::List(_), _) => "put each item into a line that begins with \"- \"".to_owned(),
        (Form::Number(_), Value::String(text)) if text.trim().parse::<i64>().is_ok() => {
            "write it without quotes".to_owned()
        }
        _ => format!("write {}", form(schema)),
    };
    (wrong_kind(schema, value), fix)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_may_be_a_credential_is_hidden() {
        for (at, value) in [
            ("spec.common.broker.redis.passwordSecretRef", json!("hush")),
            ("spec.common.broker.redis.passwordSecretRef.name", json!(314_159)),
            ("spec.common.imagePullSecrets[0]", json!("hush")),
            ("spec.flowerSpec.auth.basic", json!("ann:hush")),
            ("spec.common.env[0]", json!("A=hush")),
            ("metadata.annotations[example.com/token]", json!(314_159)),
            ("spec.workerSpec.args", json!("--db-password hush")),
            ("spec.workerSpec.args", json!("-b redis://:hush@cache -E")),
        ] {
            assert!(may_hide(at, &value), "{at} {value}");
        }
        for (at, value) in [
            ("spec.flowerSpec.auth.allowUnauthenticated", json!(true)),
            ("spec.workerSpec.numOfWorkers", json!("three")),
            ("spec.workerSpec.args", json!("-c 4")),
            ("spec.common.environment", json!("a")),
        ] {
            assert!(!may_hide(at, &value), "{at} {value}");
        }
    }
}
