// SPDX-License-Identifier: Apache-2.0
//! Verdicts on broker URLs and result backends.
//!
//! A broker is taken when kombu reads its URL, finds the transport, and builds the connection up to where a socket
//! would be opened; of a list every URL, since the next one comes when the first one fails. A backend is taken when
//! Celery finds its class and the class can be built.

use serde_json::json;

use super::args::base;
use super::{Input, Known, Taken, assert_right};
use crate::urls::{backends, brokers};

const BROKER: Known = Known { refused: &[], warned: &[] };

const BACKEND: Known = Known { refused: &[], warned: &[] };

/// Where an object names its Celery.
const PATH: &str = "/spec/common/celeryVersion";

/// Releases that were asked with a kombu that is not the newest one they run with: what the newest one takes, they take.
const ANY_KOMBU: &[&str] = &["5.2.7", "5.3.6", "5.4.0"];

#[test]
fn broker_urls() {
    let asked = brokers::brokers();
    let inputs: Vec<Input> = asked
        .urls
        .iter()
        .map(|url| {
            let mut object = base();
            object["spec"]["common"]["broker"]["url"] = json!(url);
            object["spec"]["workerSpec"] = json!({});
            Input { text: url.clone(), object }
        })
        .collect();
    let mut taken: Taken = Vec::new();
    for (pins, answers) in &asked.answers {
        let mut all = vec![true; inputs.len()];
        for (element, answer) in asked.elements.iter().zip(&answers[1..]) {
            all[element.of] &= answer["ok"] == true;
        }
        taken.push((pins.version, all));
    }
    let Some((_, newest)) = taken.last().cloned() else { return };
    for (_, taken) in taken.iter_mut().filter(|(version, _)| ANY_KOMBU.contains(version)) {
        taken.iter_mut().zip(&newest).for_each(|(taken, newest)| *taken |= newest);
    }
    assert_right("broker URLs", &inputs, &taken, PATH, &BROKER);
}

#[test]
fn result_backends() {
    let asked = backends::backends();
    let inputs: Vec<Input> = asked
        .texts
        .iter()
        .map(|url| {
            let mut object = base();
            object["spec"]["common"]["resultBackend"] = json!({ "url": url });
            object["spec"]["workerSpec"] = json!({});
            Input { text: url.clone(), object }
        })
        .collect();
    let taken: Taken = asked
        .answers
        .iter()
        .map(|(pins, answers)| {
            (pins.version, answers[1..].iter().map(|answer| answer["ok"] == true).collect())
        })
        .collect();
    if !taken.is_empty() {
        assert_right("result backends", &inputs, &taken, PATH, &BACKEND);
    }
}
