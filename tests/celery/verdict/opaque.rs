// SPDX-License-Identifier: Apache-2.0
//! Verdicts on what a variable hides: whatever is not refused as it is written is not refused either when a part of it
//! comes from a variable, since the variable may hold just that part. Needs no judge.

use celery_operator::celery::expansion::expands;
use serde_json::{Value, json};

use super::args::{base, with_beat, with_flower, with_worker};
use super::verdict;
use crate::argv;
use crate::urls::{backends, brokers};

/// How many of each kind.
const TEXTS: usize = 150;
/// Rules about an option that is there twice: nobody knows whether the hidden value is the same.
const TWICE: &[&str] = &["W14", "T17"];
/// What is put in.
const VARIABLE: &str = "$(A)";

/// The object with the variable in its environment, where nobody can look into it.
fn defined(mut object: Value) -> Value {
    let source = json!({"secretKeyRef": {"name": "hidden", "key": "a"}});
    object["spec"]["common"]["env"] = json!([{"name": "A", "valueFrom": source}]);
    object
}

/// What is denied with a part hidden, of texts that are not denied as they are.
fn wrong<T>(all: &[T], hidden: impl Fn(&T) -> Vec<T>, object: impl Fn(&T) -> Value) -> Vec<String> {
    let mut wrong = Vec::new();
    let good = all.iter().filter(|one| verdict(&defined(object(one))).denied.is_empty());
    let good: Vec<&T> = good.take(TEXTS).collect();
    assert!(good.len() * 4 > TEXTS, "{}", good.len());
    for one in good.into_iter().flat_map(hidden) {
        let denied = verdict(&defined(object(&one))).denied;
        wrong.extend(denied.into_iter().filter(|(id, _)| !TWICE.contains(id)).map(|(_, words)| words));
    }
    wrong
}

fn assert_none(wrong: &[String]) {
    assert!(wrong.is_empty(), "{}\n{}", wrong.len(), wrong[..wrong.len().min(12)].join("\n"));
}

/// The URL with each of its parts hidden in turn, and as a whole.
fn parts(url: &str) -> Vec<String> {
    let mut hidden = vec![VARIABLE.to_owned()];
    if expands(url) || url.contains(';') {
        return hidden;
    }
    let Some((scheme, rest)) = url.split_once("://") else { return hidden };
    hidden.push(format!("{scheme}://{VARIABLE}"));
    let (authority, path) = rest.split_at(rest.find(['/', '?', '#']).unwrap_or(rest.len()));
    let (user, host) = authority.rsplit_once('@').map_or(("", authority), |(user, host)| (user, host));
    let login = if user.is_empty() { String::new() } else { format!("{user}@") };
    hidden.push(format!("{scheme}://{login}{VARIABLE}{path}"));
    hidden.push(format!("{scheme}://:{VARIABLE}@{host}{path}"));
    hidden.push(format!("{scheme}://{VARIABLE}:{VARIABLE}@{host}{path}"));
    if !host.contains([':', '[']) && !host.is_empty() {
        hidden.push(format!("{scheme}://{login}{host}:{VARIABLE}{path}"));
    }
    hidden
}

#[test]
fn hidden_parts_of_broker_urls() {
    let object = |url: &String| {
        let mut object = base();
        object["spec"]["common"]["broker"]["url"] = json!(url);
        object["spec"]["workerSpec"] = json!({});
        object
    };
    assert_none(&wrong(&brokers::brokers().urls, |url| parts(url), object));
}

#[test]
fn hidden_parts_of_result_backends() {
    let object = |url: &String| {
        let mut object = base();
        object["spec"]["common"]["resultBackend"] = json!({ "url": url });
        object["spec"]["workerSpec"] = json!({});
        object
    };
    assert_none(&wrong(&backends::backends().texts, |url| parts(url), object));
}

/// The list with one value hidden: what stands behind a `=`.
fn values(list: &[String]) -> Vec<Vec<String>> {
    let mut hidden = Vec::new();
    for (at, word) in list.iter().enumerate() {
        if let Some((name, _)) = word.split_once('=').filter(|(name, _)| name.starts_with("--")) {
            let mut list = list.to_vec();
            list[at] = format!("{name}={VARIABLE}");
            hidden.push(list);
        }
    }
    hidden
}

#[test]
fn hidden_values_of_arguments() {
    assert_none(&wrong(&argv::workers().questions, |list| values(list), |list| with_worker(list)));
    assert_none(&wrong(&argv::beats().questions, |list| values(list), |list| with_beat(list)));
    assert_none(&wrong(&argv::flowers().questions, |list| values(list), |list| with_flower(list)));
}
