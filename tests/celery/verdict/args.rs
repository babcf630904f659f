// SPDX-License-Identifier: Apache-2.0
//! Verdicts on argument lists.

use serde_json::{Value, json};

use super::{Input, Known, Taken, assert_right, refusal};
use crate::argv::{self, Asked};

const WORKER: Known = Known {
    refused: &[
        refusal(
            "W01",
            "two words in one become the name of a queue, or a value with a blank that nobody meant",
        ),
        refusal("W06", "in the background the container ends at once"),
        refusal("W11", "with gevent and eventlet the scheduler crashes after the command line was read"),
        refusal("W13", "every start of a pod deletes the waiting tasks"),
        refusal("W14", "of an option that is there twice the first value is lost without a word"),
        refusal("W15", "up to 5.6 a number of children below zero is read, and the pool crashes"),
        refusal("W18", "the pool custom crashes without its class"),
        refusal("W25", "a queue with a blank or a quote at its end is another queue"),
        refusal("W26", "a worker without any queue is idle for ever"),
        refusal("W30", "a child that may run no task crashes the pool"),
    ],
    warned: &[],
};

const BEAT: Known = Known { refused: &[], warned: &[] };

const FLOWER: Known = Known { refused: &[], warned: &[] };

/// What everything that is judged stands in.
pub(super) fn base() -> Value {
    json!({
        "metadata": {"name": "shop"},
        "spec": {"common": {"image": "shop:1", "celeryApp": "shop", "broker": {"url": "redis://cache"}}}
    })
}

/// A beat with these arguments.
pub(super) fn with_beat(list: &[String]) -> Value {
    let mut object = base();
    object["spec"]["beatSpec"] = json!({ "args": list });
    object
}

/// A Flower with these arguments, open on purpose.
pub(super) fn with_flower(list: &[String]) -> Value {
    let mut object = base();
    object["spec"]["flowerSpec"] = json!({"args": list, "auth": {"allowUnauthenticated": true}});
    object
}

/// A worker with these arguments.
pub(super) fn with_worker(list: &[String]) -> Value {
    let mut object = base();
    object["spec"]["workerSpec"] = json!({ "args": list });
    object
}

fn judged(what: &str, asked: &Asked<Vec<String>>, path: &str, known: &Known, object: fn(&[String]) -> Value) {
    let inputs: Vec<Input> = asked
        .questions
        .iter()
        .map(|list| Input { text: json!(list).to_string(), object: object(list) })
        .collect();
    // Behind --help nobody looks at anything any more; the rules go on, so that every mistake is told at once.
    let is_help = |index: usize| asked.answers.iter().any(|(_, answers)| answers[index]["outcome"] == "help");
    let kept: Vec<usize> = (0..inputs.len()).filter(|index| !is_help(*index)).collect();
    let taken: Taken = asked
        .answers
        .iter()
        .map(|(pins, answers)| {
            let takes = |index: &usize| {
                let answer = &answers[*index];
                answer["outcome"] == "accepted" && answer["starts"] != false
            };
            (pins.version, kept.iter().map(takes).collect())
        })
        .collect();
    if taken.is_empty() {
        return;
    }
    let mut inputs: Vec<Option<Input>> = inputs.into_iter().map(Some).collect();
    let inputs: Vec<Input> = kept.iter().map(|index| inputs[*index].take().unwrap()).collect();
    assert_right(what, &inputs, &taken, path, known);
}

#[test]
fn arguments_of_workers() {
    judged("arguments of workers", argv::workers(), "/spec/common/celeryVersion", &WORKER, with_worker);
}

#[test]
fn arguments_of_beat() {
    judged("arguments of beat", argv::beats(), "/spec/common/celeryVersion", &BEAT, with_beat);
}

#[test]
fn arguments_of_flower() {
    judged("arguments of Flower", argv::flowers(), "/spec/flowerSpec/version", &FLOWER, with_flower);
}
