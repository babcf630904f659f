// SPDX-License-Identifier: Apache-2.0
//! The further cases of rules about the result backend.

use super::*;

pub(super) fn backend(id: &str, url: &str) -> Vec<(Severity, String)> {
    of_rule(id, &format!("spec: {{common: {{resultBackend: {{url: {url:?}}}}}}}"))
}

#[test]
fn every_defect_of_a_result_backend_has_its_rule() {
    let url = "spec.common.resultBackend.url";
    for (text, id) in [
        ("mysql+pymysql://db/x", "R01"),
        ("cache+memcachd://x", "R02"),
        ("riak://x", "R03"),
        ("rediss://cache?ssl_cert_reqs=x", "R04"),
        ("cache:6379", "R06"),
        ("valkey://cache", "R06"),
        ("redis+cluster://cache", "R06"),
        ("db://x", "R14"),
        ("redis://[x]/1", "R15"),
        ("file://", "R15"),
        ("redis://cache?ssl_cert_reqs=none", "R18"),
        ("redis://cache?protocol=4", "R18"),
        (" redis://cache", "R19"),
    ] {
        assert_eq!(backend(id, text), deny(url), "{text}");
        let object = shop(&format!("spec: {{common: {{resultBackend: {{url: {text:?}}}}}}}"));
        assert_eq!(found(&object, None).len(), 1, "{text}");
    }
    assert_eq!(backend("R18", "redis://cache?socket_read_size=9"), deny(url));
    for name in ["decode_responses", "retry_on_error", "lib_name", "lib_version"] {
        assert_eq!(backend("R18", &format!("redis://cache?{name}=1")), [], "{name}");
    }
    for text in ["my.module:Backend", "entrypoint"] {
        assert_eq!(backend("R06", text), warn(url), "{text}");
    }
    for (text, severity) in [("$(RESULTS)", deny(url)), ("redis://$(HOST):$(PORT)/1", warn(url))] {
        assert_eq!(backend("R23", text), severity, "{text}");
    }
    for text in ["disabled", "rpc://", "$(RESULTS)", "redis://$(HOST):$(PORT)/1", "redis://cache/1"] {
        let env =
            "env: [{name: RESULTS, value: 'redis://c'}, {name: HOST, value: c}, {name: PORT, value: '1'}]";
        let object = shop(&format!("spec: {{common: {{resultBackend: {{url: {text:?}}}, {env}}}}}"));
        assert_eq!(found(&object, None), [], "{text}");
    }
    for text in ["s3://bucket", "gs", "cassandra://", "azureblockblob://x", "entrypoint", "my.module:Backend"]
    {
        let warned = lines(&format!("spec: {{common: {{resultBackend: {{url: {text:?}}}}}}}"));
        assert!(!warned.is_empty() && warned.iter().all(|line| line.chars().count() <= 120), "{warned:?}");
    }
}

#[test]
fn what_checks_certificates_may_be_said_beside_the_url() {
    let url = "spec.common.resultBackend.url";
    let of = |id: &str, url: &str, config: &str| {
        of_common(id, &format!("resultBackend: {{url: '{url}'}}, config: {config}"))
    };
    let tls = |options: &str| format!("{{redis_backend_use_ssl: {{{options}}}}}");
    assert_eq!(of("R04", "rediss://cache", &tls("ssl_cert_reqs: required, ssl_ca_certs: /etc/ca.pem")), []);
    assert_eq!(of("R04", "rediss://cache", &tls("ssl_ca_certs: /etc/ca.pem")), deny(url));
    assert_eq!(of("R04", "rediss://cache", "{}"), warn(url));
    // What else is wrong is told all the same.
    assert_eq!(of("R18", "rediss://cache?master_name=a", "{}"), deny(url));
    assert_eq!(of("R05", "rediss://cache/results", &tls("ssl_cert_reqs: none")), deny(url));
    // The parameter wins over the setting.
    assert_eq!(of("R04", "rediss://cache?ssl_cert_reqs=x", &tls("ssl_cert_reqs: required")), deny(url));
    assert_eq!(of("R20", "rediss://:hush@cache", &tls("ssl_cert_reqs: required")), warn(url));
    assert_eq!(of("R20", "rediss://:hush@cache?db=1", "{}"), warn(url));
}

#[test]
fn a_key_of_azure_is_a_password() {
    let text = |key: &str| {
        format!(
            "azureblockblob://DefaultEndpointsProtocol=https;AccountName=a;AccountKey={key};EndpointSuffix=x"
        )
    };
    assert_eq!(backend("R20", &text("aHVzaA==")), warn("spec.common.resultBackend.url"));
    assert_eq!(backend("R20", &text("$(KEY)")), []);
    let env = |value: &str| of_common("B40", &format!("env: [{{name: AZURE, value: {value:?}}}]"));
    assert_eq!(env("AccountName=a;AccountKey=aHVzaA=="), warn("spec.common.env[0].value"));
    assert_eq!(
        env("Endpoint=sb://a/;SharedAccessKeyName=b;SharedAccessKey=aHVzaA="),
        warn("spec.common.env[0].value")
    );
    assert_eq!(env("AccountName=a;AccountKey=$(KEY)"), []);
    // No message repeats it, whatever else is wrong.
    for url in [
        text("aHVzaA=="),
        text("aHVzaA==").replace("azureb", "azurb"),
        text("aHVzaA==").replace("azureb", "db+azureb"),
    ] {
        let told = findings(&format!("spec: {{common: {{resultBackend: {{url: {url:?}}}}}}}"));
        assert!(!told.is_empty() && told.iter().all(|one| !one.to_string().contains("aHVzaA")), "{told:?}");
    }
}

#[test]
fn a_folder_of_results_may_be_mounted_by_each_pool() {
    let at = |rest: &str| {
        of_rule("R07", &format!("spec: {{common: {{resultBackend: {{url: 'file:///results/a'}}}}, {rest}}}"))
    };
    assert_eq!(at("workerSpec: {volumeMounts: [{name: r, mountPath: /results/}]}"), []);
    assert_eq!(at("workerSpec: {volumeMounts: [{name: r, mountPath: /result}]}").len(), 1);
    assert_eq!(at("workerSpec: {podTemplate: {}}"), []);
    assert_eq!(at("workerSpec: null, flowerSpec: {}"), []);
}

#[test]
fn a_fix_names_the_scheme_that_is_meant() {
    let told = findings("spec: {common: {resultBackend: {url: 'redis+sentinel://cache:26379'}}}");
    assert!(told.iter().any(|one| one.rule == "R06" && one.fix == "use sentinel://"), "{told:?}");
}

#[test]
fn a_table_of_options_takes_the_place_of_the_applications() {
    let of = |options: &str| {
        let url = "resultBackend: {url: 'sentinel://cache:26379'}";
        of_common("R08", &format!("{url}, config: {{result_backend_transport_options: {options}}}"))
    };
    let path = "spec.common.config.result_backend_transport_options";
    assert_eq!(of("{socket_timeout: 5}"), warn(path));
    assert_eq!(of("{master_name: main}"), []);
}

#[test]
fn a_result_backend_among_the_settings_is_read_too() {
    let path = "spec.common.config.result_backend";
    for (url, id) in [("postgresql://db/tasks", "R01"), ("redis://cache/results", "R05"), ("sqs://", "R06")] {
        assert_eq!(of_common(id, &format!("config: {{result_backend: '{url}'}}")), deny(path), "{url}");
    }
    let object = shop("spec: {common: {config: {result_backend: 'redis://cache/1'}}}");
    assert_eq!(found(&object, None), []);
    let both = "resultBackend: {urlSecretRef: {name: a, key: b}}, config: {result_backend: 'sqs://'}";
    assert_eq!(of_common("R06", both), []);
}
