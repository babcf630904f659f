// SPDX-License-Identifier: Apache-2.0
//! Verdicts on broker URLs and result backends.
//!
//! A broker is taken when kombu reads its URL, finds the transport, and builds the connection up to where a socket
//! would be opened; of a list every URL, since the next one comes when the first one fails. A backend is taken when
//! Celery finds its class and the class can be built.

use celery_operator::celery::expansion::expands;
use serde_json::json;

use super::args::base;
use super::{Input, Known, Refusal, Taken, assert_right, astray};
use crate::urls::{backends, brokers};

const BROKER: Known = Known {
    refused: &[&[
        astray("B04", "the text becomes the name of a host of RabbitMQ"),
        astray("B05", "Python finds no scheme in such letters, and RabbitMQ is asked"),
        astray("B06", "plain Redis on localhost is asked"),
        astray("B07", "a host of another name is asked"),
        astray("B09", "port 0 counts as none"),
        astray("B10", "a part of the password becomes the host"),
        astray("B11", "a database that no Redis has, or in digits that only Python reads"),
        astray("B13", "a text where a socket needs a number"),
        astray("B16", "a client that is not installed, so not asked"),
        Refusal { id: "B17", why: "TLS that nobody means", when: |input| input.text.contains("?ssl_") },
        Refusal {
            id: "B20",
            why: "no other pod sees a task",
            when: |input| input.text.contains("memory://") || input.text.starts_with("sqla"),
        },
        Refusal { id: "B22", why: "crashes once it connects", when: |input| input.text.contains("slmq://") },
        astray("B25", "an autoscaler refuses it, and most of it crashes the worker"),
        astray("B28", "the next URL of the list is no URL, or cannot be used there"),
        Refusal {
            id: "B59",
            why: "a host, a user or a path that only stands for another",
            when: |input| input.text.contains(['$', '<', '{', '%']),
        },
        Refusal {
            id: "B66",
            why: "a client that is not installed, so not asked, and a ValueError where it is",
            when: |input| input.text.contains("azureservicebus://"),
        },
        astray("B42", "newer releases of Python refuse such brackets"),
    ]],
    warned: &[],
};

const BACKEND: Known = Known {
    refused: &[&[
        astray("R05", "a database that no Redis has, or in digits that only Python reads"),
        astray("R06", "plain Redis, or no results at all"),
        Refusal {
            id: "R07",
            why: "each pod has its own folder",
            when: |input| input.text.starts_with("file"),
        },
        astray("R15", "port 0 counts as none, and newer releases of Python refuse such brackets"),
        astray("R16", "a part of the password becomes the host"),
        astray("R18", "newer releases of redis-py refuse it"),
        astray("R19", "the application decides, or a blank that nobody meant"),
    ]],
    warned: &[
        ("R04", "the application may say it in redis_backend_use_ssl"),
        ("R06", "a package of the image may register the name, or bring the class"),
    ],
};

/// Where an object names its Celery.
const PATH: &str = "/spec/common/celeryVersion";

/// Releases that were asked with a kombu that is not the newest one they run with: what the newest one takes, they take.
const ANY_KOMBU: &[&str] = &["5.2.7", "5.3.6", "5.4.0", "5.6.3"];

/// Without those that hold a variable: what Celery makes of the text before it is filled in says nothing.
fn judge(what: &str, inputs: Vec<Input>, taken: &Taken, known: &Known) {
    let is_plain: Vec<bool> = inputs.iter().map(|input| !expands(&input.text)).collect();
    let plain = |taken: &Vec<bool>| taken.iter().zip(&is_plain).filter(|it| *it.1).map(|it| *it.0).collect();
    let taken = taken.iter().map(|(version, taken)| (*version, plain(taken))).collect();
    let inputs: Vec<Input> = inputs.into_iter().filter(|input| !expands(&input.text)).collect();
    assert_right(what, &inputs, &taken, PATH, known);
}

#[test]
fn broker_urls() {
    let asked = brokers::brokers();
    let astray = asked.astray();
    let inputs: Vec<Input> = asked
        .urls
        .iter()
        .zip(astray)
        .map(|(url, is_astray)| {
            let mut object = base();
            object["spec"]["common"]["broker"]["url"] = json!(url);
            object["spec"]["workerSpec"] = json!({});
            Input { text: url.clone(), object, is_astray }
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
    judge("broker URLs", inputs, &taken, &BROKER);
}

#[test]
fn result_backends() {
    let asked = backends::backends();
    let astray = asked.astray();
    let inputs: Vec<Input> = asked
        .texts
        .iter()
        .zip(astray)
        .map(|(url, is_astray)| {
            let mut object = base();
            object["spec"]["common"]["resultBackend"] = json!({ "url": url });
            object["spec"]["workerSpec"] = json!({});
            Input { text: url.clone(), object, is_astray }
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
        judge("result backends", inputs, &taken, &BACKEND);
    }
}
