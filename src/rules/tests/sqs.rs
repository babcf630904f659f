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
        ("visibility_timeout: '43201'", warn(&at("visibility_timeout"))),
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
    // kombu writes the text of the value into its request.
    let typed = |option: &str| {
        broker("B50", &format!("url: null, sqs: {{region: x}}, transportOptions: {{{option}}}"))
    };
    for (value, is_told) in
        [("1h", true), ("3600.5", true), ("[]", true), ("'3600'", false), ("3600", false), ("null", false)]
    {
        let option = format!("visibility_timeout: {value}");
        let expected = if is_told { warn(&at("visibility_timeout")) } else { vec![] };
        assert_eq!(of("B50", &option), expected, "{value}");
        assert_eq!(typed(&option), expected, "{value}");
    }
    assert_eq!(of("B50", "visibility_timeout: 1h, predefined_queues: {a: {url: 'https://a/b'}}"), []);
    let typed = "url: null, sqs: {region: x}, transportOptions: {predefined_queues: {a: {}}}";
    assert_eq!(broker("B54", typed), deny(&at("predefined_queues.a")));
    let pool = |options: &str, worker: &str| {
        let broker = format!("broker: {{url: null, sqs: {{region: x}}, transportOptions: {{{options}}}}}");
        of_rule("B54", &format!("spec: {{common: {{{broker}}}, workerSpec: {{{worker}}}}}"))
    };
    let mail = "predefined_queues: {prod-mail: {url: 'https://a/prod-mail'}}";
    assert_eq!(pool(mail, "queues: [prod-mail]"), []);
    assert_eq!(pool(mail, "queues: [mail]"), deny("spec.workerSpec.queues"));
    assert_eq!(pool(mail, "args: [-Q, mail]"), deny("spec.workerSpec.args"));
    assert_eq!(pool(&format!("queue_name_prefix: prod-, {mail}"), "queues: [mail]"), []);
    assert_eq!(
        pool(&format!("queue_name_prefix: prod-, {mail}"), "queues: [prod-mail]"),
        deny("spec.workerSpec.queues")
    );
    assert_eq!(pool(mail, ""), []);
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
fn workers_need_an_identity_beside_that_of_the_autoscaler() {
    let at = |common: &str, rest: &str| {
        let broker = "broker: {url: null, sqs: {region: x, credentialsSecretName: aws}}";
        of_rule("B58", &format!("spec: {{common: {{{broker}, {common}}}, {rest}}}")).len()
    };
    assert_eq!(at("", ""), 1);
    assert_eq!(at("env: [{name: AWS_DEFAULT_REGION, value: x}]", ""), 1);
    assert_eq!(at("env: [{name: AWS_PROFILE, value: shop}]", ""), 0);
    assert_eq!(at("envFrom: [{secretRef: {name: aws}}]", ""), 0);
    assert_eq!(at("podTemplate: {spec: {serviceAccountName: shop}}", ""), 0);
    assert_eq!(at("", "workerSpec: {podTemplate: {spec: {serviceAccountName: shop}}}"), 0);
    assert_eq!(at("", "workerSpec: {env: [{name: AWS_ACCESS_KEY_ID, value: a}]}"), 0);
    assert_eq!(at("", "workerSpec: null"), 0);
    assert_eq!(of_common("B58", "broker: {url: null, sqs: {region: x}}"), []);
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

#[test]
fn a_prefix_that_sqs_writes_otherwise_is_told_itself() {
    let of = |prefix: &str, queue: &str| {
        let sqs = format!("sqs: {{region: eu-west-1, queueNamePrefix: '{prefix}'}}");
        let overlay = format!(
            "spec: {{common: {{broker: {{url: null, {sqs}}}}}, workerSpec: {{queues: ['{queue}']}}}}"
        );
        of_rule("W28", &overlay)
    };
    assert_eq!(of("prod.", "mail"), warn("spec.common.broker.sqs.queueNamePrefix"));
    assert_eq!(of("prod-", "a.b"), warn("spec.workerSpec.queues[0]"));
    assert_eq!(of("prod-", "mail.fifo"), []);
}
