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
    for text in ["my.module:Backend", "entrypoint"] {
        assert_eq!(backend("R06", text), warn(url), "{text}");
    }
    for text in ["disabled", "rpc://", "$(RESULTS)", "redis://$(HOST):$(PORT)/1", "redis://cache/1"] {
        let object = shop(&format!("spec: {{common: {{resultBackend: {{url: {text:?}}}}}}}"));
        assert_eq!(found(&object, None), [], "{text}");
    }
    for text in ["s3://bucket", "gs", "cassandra://", "azureblockblob://x", "entrypoint", "my.module:Backend"]
    {
        let warned = lines(&format!("spec: {{common: {{resultBackend: {{url: {text:?}}}}}}}"));
        assert!(!warned.is_empty() && warned.iter().all(|line| line.chars().count() <= 120), "{warned:?}");
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
