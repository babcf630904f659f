// SPDX-License-Identifier: Apache-2.0
//! The further cases of rules about settings.

use super::*;

#[test]
fn settings_are_judged_by_the_release() {
    let at = |version: &str, setting: &str| {
        of_common("C18", &format!("celeryVersion: '{version}', config: {{{setting}}}"))
            .first()
            .map(|(severity, _)| *severity)
    };
    for (version, setting, expected) in [
        ("5.5", "worker_soft_shutdown_timeout: 10", None),
        ("5.4", "worker_soft_shutdown_timeout: 10", Some(Severity::Deny)),
        ("4.4", "worker_soft_shutdown_timeout: 10", Some(Severity::Warn)),
        ("6.0", "no_such: 1", Some(Severity::Warn)),
        ("5.5", "worker_prefetch_multiplier: two", Some(Severity::Deny)),
        ("5.5", "worker_prefetch_multiplier: $(TWO)", None),
        ("5.5", "timezone: UTC", Some(Severity::Deny)),
        ("5.5", "task_acks_late: 'yes'", None),
        ("5.5", "task_routes: {a: b}", None),
    ] {
        assert_eq!(at(version, setting), expected, "{version} {setting}");
    }
    assert_eq!(of_common("C18", "config: {worker_soft_shutdown_timeout: 10}"), []);
}

#[test]
fn fields_and_settings_do_not_say_the_same() {
    for (overlay, expected) in [
        ("{common: {config: {broker_url: 'redis://cache'}}}", 1),
        ("{common: {broker: null, config: {broker_url: 'redis://cache'}}}", 0),
        ("{common: {config: {broker_transport_options: {}}}}", 0),
        ("{common: {broker: {transportOptions: {}}, config: {broker_transport_options: {}}}}", 1),
        ("{common: {resultBackend: {url: 'rpc://'}, config: {result_backend: 'rpc://'}}}", 1),
        ("{common: {config: {task_time_limit: 9}}, workerPools: [{name: a, timeLimit: 9}]}", 1),
        ("{common: {config: {task_time_limit: 9}}, workerPools: [{name: a}]}", 0),
    ] {
        assert_eq!(of_rule("C19", &format!("spec: {overlay}")).len(), expected, "{overlay}");
    }
}
