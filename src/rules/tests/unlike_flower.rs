// SPDX-License-Identifier: Apache-2.0
//! What workers are told about the broker, and Flower is not.

use super::*;

#[test]
fn what_does_not_reach_flower_is_told_where_it_stands() {
    let options = "spec.common.broker.transportOptions";
    let flower = |options: &str, flower: &str| {
        let broker = format!("broker: {{transportOptions: {options}}}");
        of_rule("B57", &format!("spec: {{common: {{{broker}}}, flowerSpec: {flower}}}"))
    };
    assert_eq!(flower("{global_keyprefix: a}", "{}"), warn(&format!("{options}.global_keyprefix")));
    assert_eq!(flower("{sep: ':', global_keyprefix: null}", "{}"), warn(&format!("{options}.sep")));
    assert_eq!(flower("{fanout_prefix: false}", "{}"), warn(&format!("{options}.fanout_prefix")));
    assert_eq!(flower("{fanout_prefix: true, fanout_patterns: false}", "{}"), []);
    assert_eq!(flower("{fanout_prefix: '/{db}.'}", "{}"), []);
    for (name, setting) in [
        ("accept_content", "[yaml]"),
        ("task_serializer", "yaml"),
        ("control_exchange", "shop"),
        ("event_exchange", "shop"),
        ("broker_use_ssl", "{ssl_cert_reqs: none}"),
    ] {
        let overlay = format!("spec: {{common: {{config: {{{name}: {setting}}}}}, flowerSpec: {{}}}}");
        assert_eq!(of_rule("B57", &overlay), warn(&format!("spec.common.config.{name}")));
    }
    assert_eq!(flower("{global_keyprefix: a}", "null"), []);
    // Only sentinels look at it.
    assert_eq!(flower("{master_name: main}", "{}"), []);
    for usual in ["celeryev", "$(EXCHANGE)"] {
        let overlay = format!("spec: {{common: {{config: {{event_exchange: {usual}}}}}, flowerSpec: {{}}}}");
        assert_eq!(of_rule("B57", &overlay), [], "{usual}");
    }
    let watched = |broker: &str, more: &str| {
        of_rule("B57", &format!("spec: {{common: {{broker: {{{broker}}}}}, flowerSpec: {{}}, {more}}}"))
    };
    let at = "spec.common.broker";
    let sentinel = "url: 'sentinel://cache:26379', transportOptions: {master_name: main}";
    assert_eq!(watched(sentinel, ""), warn(&format!("{options}.master_name")));
    let typed = "url: null, redis: {sentinel: {masterName: main, addresses: ['cache:26379']}}";
    assert_eq!(watched(typed, ""), warn(&format!("{at}.redis.sentinel")));
    let tls = |tls: &str| watched(&format!("url: null, rabbitmq: {{host: mq, tls: {tls}}}"), "");
    assert_eq!(
        tls("{caSecretRef: {name: ca, key: ca.crt}}"),
        warn(&format!("{at}.rabbitmq.tls.caSecretRef"))
    );
    assert_eq!(tls("{}"), []);
    let word =
        |word: &str| watched("url: 'redis://cache'", &format!("workerSpec: {{args: ['--', '{word}']}}"));
    for told in [
        "control.exchange=shop",
        "task_serializer=yaml",
        r#"broker.transport_options=(dict){"global_keyprefix":"a"}"#,
    ] {
        assert_eq!(word(told), warn("spec.workerSpec.args[1]"), "{told}");
    }
    assert_eq!(word("task_serializer=json"), []);
}
