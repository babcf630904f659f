// SPDX-License-Identifier: Apache-2.0
//! The further cases of rules about Amazon SQS.

use super::broker::broker;
use super::*;

#[test]
fn options_of_sqs_keep_to_what_the_service_takes() {
    let of = |id: &str, option: &str| {
        broker(id, &format!("url: 'sqs://', transportOptions: {{region: x, {option}}}"))
    };
    let at = |option: &str| format!("spec.common.broker.transportOptions.{option}");
    for (option, expected) in [
        ("wait_time_seconds: 21", deny(&at("wait_time_seconds"))),
        ("wait_time_seconds: -1", deny(&at("wait_time_seconds"))),
        ("wait_time_seconds: 0", vec![]),
        ("visibility_timeout: 43201", warn(&at("visibility_timeout"))),
        ("visibility_timeout: 43201, predefined_queues: {a: {url: 'https://a/b'}}", vec![]),
    ] {
        assert_eq!(of("B53", option), expected, "{option}");
    }
    assert_eq!(broker("B53", "transportOptions: {visibility_timeout: 90000, wait_time_seconds: 90}"), []);
    let unknown = "url: null, urlSecretRef: {name: a, key: b}, transportOptions";
    assert_eq!(
        broker("B53", &format!("{unknown}: {{visibility_timeout: 90000, wait_time_seconds: 90}}")),
        warn(&at("wait_time_seconds"))
    );
    let queues = at("predefined_queues");
    for (value, expected) in [
        ("[a]", deny(&queues)),
        ("a", deny(&queues)),
        ("{}", vec![]),
        ("{a: {}}", deny(&format!("{queues}.a"))),
        ("{a: {url: 5}}", deny(&format!("{queues}.a.url"))),
        ("{a: [url]}", deny(&format!("{queues}.a"))),
        ("{a: {url: 'https://x/1/a.fifo'}}", deny(&format!("{queues}.a"))),
        ("{a.fifo: {url: 'https://x/1/a'}}", deny(&format!("{queues}[a.fifo]"))),
        ("{a.fifo: {url: 'https://x/1/a.fifo', region: y}}", vec![]),
        ("{a: {url: a}}", vec![]),
    ] {
        assert_eq!(of("B54", &format!("predefined_queues: {value}")), expected, "{value}");
    }
}

#[test]
fn accounts_and_addresses_of_sqs_are_some() {
    let scaled = "workerSpec: {queues: [a]}, scaleTargetRef: [{kind: worker, maxReplicas: 3, metrics: [{name: task_queue_length, target: {type: AverageValue, averageValue: 5}}]}]";
    let sqs = |fields: &str, rest: &str| {
        of_rule(
            "B55",
            &format!("spec: {{common: {{broker: {{url: null, sqs: {{region: x, {fields}}}}}}}, {rest}}}"),
        )
    };
    let account = "spec.common.broker.sqs.accountId";
    assert_eq!(sqs("accountId: '1234-5678-9012'", ""), warn(account));
    assert_eq!(sqs("accountId: '1234-5678-9012'", scaled), deny(account));
    assert_eq!(sqs("accountId: '000000000000'", scaled), []);
    let at = "spec.common.broker.sqs.queueUrls";
    for (urls, expected) in [
        ("{a: a}", warn(&format!("{at}.a"))),
        ("{a: 'https://'}", warn(&format!("{at}.a"))),
        ("{a: 'https://sqs.x.amazonaws.com/1/a.fifo'}", deny(&format!("{at}.a"))),
        ("{a.fifo: 'https://sqs.x.amazonaws.com/1/a.fifo'}", vec![]),
        ("{a: 'http://localhost:4566/000000000000/a'}", vec![]),
    ] {
        assert_eq!(sqs(&format!("queueUrls: {urls}"), ""), expected, "{urls}");
    }
}
