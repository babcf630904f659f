// SPDX-License-Identifier: Apache-2.0
//! Verdicts on variables that Flower reads.

use serde_json::json;

use super::args::{FLOWER, base};
use super::{Input, Known, Refusal, Taken, always, assert_right};
use crate::argv;

/// What Kubernetes takes less of than Python.
const NAMES: &[Refusal] = &[always("C28", "the name of a variable is ASCII to the API server")];
const KNOWN: Known = Known { refused: &[FLOWER, NAMES], warned: &[] };

#[test]
fn variables_of_flower() {
    let asked = argv::variables();
    let inputs: Vec<Input> = asked
        .questions
        .iter()
        .map(|(name, value)| {
            let mut object = base();
            object["spec"]["flowerSpec"] = json!({
                "env": [{"name": name, "value": value}],
                "auth": {"allowUnauthenticated": true}
            });
            Input { text: format!("{name}={value}"), object, is_astray: false }
        })
        .collect();
    let taken: Taken = asked
        .answers
        .iter()
        .map(|(pins, answers)| {
            let takes =
                |answer: &serde_json::Value| answer["outcome"] == "accepted" && answer["starts"] == true;
            (pins.version, answers.iter().map(takes).collect())
        })
        .collect();
    if !taken.is_empty() {
        assert_right("variables of Flower", &inputs, &taken, "/spec/flowerSpec/version", &KNOWN);
    }
}
