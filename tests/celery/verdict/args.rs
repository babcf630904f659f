// SPDX-License-Identifier: Apache-2.0
//! Verdicts on argument lists.

use serde_json::{Value, json};

use super::{Input, Known, Refusal, Taken, always, assert_right};
use crate::argv::{self, Asked};

/// Whether some short option has a sign before its value.
fn has_sign(input: &Input) -> bool {
    let words: Vec<String> = serde_json::from_str(&input.text).unwrap();
    words.iter().any(|word| word.starts_with('-') && !word.starts_with("--") && word.contains('='))
}

/// Whether some --autoscale lets a worker have no child: its larger number is 0 or less.
fn has_no_child(input: &Input) -> bool {
    let words: Vec<String> = serde_json::from_str(&input.text).unwrap();
    let behind = words.iter().zip(words.iter().skip(1)).filter(|(word, _)| *word == "--autoscale");
    let joined = words.iter().filter_map(|word| word.strip_prefix("--autoscale="));
    let mut values = behind.map(|(_, value)| value.as_str()).chain(joined);
    values.any(|value| value.split(',').all(|count| count.trim().parse::<i64>().is_ok_and(|count| count < 1)))
}

const WORKER: Known = Known {
    refused: &[&[
        always(
            "W01",
            "two words in one become the name of a queue, or a value with a blank that nobody meant",
        ),
        always("C19", "the broker of the object and another one: the worker consumes from one of them"),
        always("W06", "in the background the container ends at once"),
        always("W11", "with gevent and eventlet the scheduler crashes after the command line was read"),
        always("W13", "every start of a pod deletes the waiting tasks"),
        always("W14", "of an option that is there twice the first value is lost without a word"),
        always("W15", "up to 5.6 a number of children below zero is read, and the pool crashes"),
        always("W18", "the pool custom crashes without its class"),
        Refusal {
            id: "W22",
            why: "with at most 0 children no task is ever run, and below 0 the pool crashes",
            when: has_no_child,
        },
        always("W25", "a queue with a blank or a quote at its end is another queue"),
        always("W26", "a worker without any queue is idle for ever"),
        always("W30", "a child that may run no task crashes the pool"),
        always("W57", "a task that may take less than no time is killed at once"),
        Refusal { id: "W60", why: "a queue whose name begins with a sign is another queue", when: has_sign },
        always("W85", "a pool of threads ends when it wants to grow"),
    ]],
    warned: &[],
};

const BEAT: Known = Known {
    refused: &[&[
        always("C19", "the broker of the object and another one: beat sends to one of them"),
        always("T04", "no module has a class of that name, which beat finds out once it starts"),
        always("T16", "in the background the container ends at once"),
        always("T17", "of an option that is there twice the first value is lost without a word"),
        Refusal { id: "T14", why: "no class has a name that begins with a sign", when: has_sign },
    ]],
    warned: &[],
};

/// What takes two options.
const HISTORY: &[Refusal] = &[always("F22", "the history is lost with the pod")];

/// Flower takes nearly everything, and ignores what it does not know.
pub(super) const FLOWER: &[Refusal] = &[
    always("F01", "a misspelt option is ignored: one about authentication leaves Flower open"),
    always("F04", "Flower would not listen where Service and probes ask"),
    always("F06", "a word for no that means yes to this reader"),
    always("F13", "nobody can log in, or everybody"),
    always("F15", "whom Flower would let in has no such address, or none at all"),
    always("F16", "without a provider nobody can log in"),
    always("F17", "no such class, which Flower finds out with the first request"),
    always(
        "F25",
        "probes that speak plain HTTP restart it for ever; before 2.1 a certificate alone is ignored",
    ),
    always("F26", "before 2.1 nobody looks at the address, and the page of queues stays empty"),
];

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
        .map(|list| Input { text: json!(list).to_string(), object: object(list), is_astray: false })
        .collect();
    // Behind --help nobody looks at anything any more; the rules go on, so that every mistake is told at once.
    let is_help = |answer: &Value| answer["outcome"] == "help";
    // What is missing may stand in the configuration file.
    let is_open = |answer: &Value| answer["starts"] == false && answer["options"]["conf"].is_string();
    let is_left_out = |index: usize| {
        asked.answers.iter().map(|(_, answers)| &answers[index]).any(|it| is_help(it) || is_open(it))
    };
    let kept: Vec<usize> = (0..inputs.len()).filter(|index| !is_left_out(*index)).collect();
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
    let known = Known { refused: &[FLOWER, HISTORY], warned: &[] };
    judged("arguments of Flower", argv::flowers(), "/spec/flowerSpec/version", &known, with_flower);
}
