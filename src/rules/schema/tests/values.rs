// SPDX-License-Identifier: Apache-2.0
//! Values of a wrong type or out of bounds: what to write instead, and that no credential is repeated.

use serde_json::json;

use super::*;

#[test]
fn a_number_of_too_many_digits_has_no_fraction() {
    for (number, text) in
        [(1e20, "has too many digits; use a smaller number"), (-1e20, "has too many digits")]
    {
        let celery = json!({"metadata": {"name": "a"}, "spec": {"common": {"image": "a"}, "workerSpec": {"concurrency": number}}});
        let told = reading(&celery, &|_| None).findings.iter().map(ToString::to_string).collect::<String>();
        assert!(told.contains(text), "{told}");
    }
}

#[test]
fn the_value_of_a_variable_is_never_told() {
    for place in ["common: {env: ", "workerSpec: {env: ", "workerSpec: {sidecars: [{name: a, image: b, env: "]
    {
        let close = if place.contains("sidecars") { "}]}" } else { "}" };
        let [told] = &found(&format!("spec: {{{place}[{{name: PIN, value: 314159}}]{close}}}"))[..] else {
            panic!("one finding: {place}")
        };
        assert!(told.ends_with("is a number or a truth value to YAML; put it in quotes [S02]"), "{told}");
        assert!(!told.contains("314159"), "{told}");
    }
}

#[test]
fn what_may_be_a_credential_is_not_repeated() {
    for (overlay, fix) in [
        ("{common: {broker: {redis: {passwordSecretRef: hunter2}}}}", "write {name: …, key: …}"),
        ("{common: {broker: {redis: {passwordSecretRef: 4711}}}}", "write {name: …, key: …}"),
        ("{common: {broker: {urlSecretRef: ['hunter2']}}}", "write {name: …, key: …}"),
        ("{common: {broker: {url: null, urlSecretRef: {name: a, key: 4711}}}}", "put it in quotes"),
        ("{common: {imagePullSecrets: [hunter2]}}", "write {name: …}"),
        ("{common: {imagePullSecrets: hunter2}}", "put each item into a line that begins with \"- \""),
        ("{common: {env: ['DB_PASSWORD=hunter2']}}", "write {name: DB_PASSWORD, value: …}"),
        ("{common: {env: ['aHVudGVyMg==']}}", "write {name: …, value: …}"),
        ("{beatSpec: {env: 'A=hunter2'}}", "put each item into a line that begins with \"- \""),
        ("{flowerSpec: {env: {FLOWER_BASIC_AUTH: hunter2}}}", "write a list: - name: FLOWER_BASIC_AUTH"),
        ("{flowerSpec: {auth: {basic: 'ann:hunter2'}}}", "write {secretRef: {name: …, key: …}}"),
        ("{flowerSpec: {auth: {basic: {secretRef: 'ann:hunter2'}}}}", "write {name: …, key: …}"),
        (
            "{workerSpec: {args: '--db-password=hunter2'}}",
            "put each item into a line that begins with \"- \"",
        ),
        ("{workerSpec: {queues: 'token-hunter2'}}", "put each item into a line that begins with \"- \""),
    ] {
        let found = found(&format!("spec: {overlay}"));
        let [told] = &found[..] else { panic!("{overlay}: {found:#?}") };
        assert!(told.ends_with(&format!("; {fix} [S02]")), "{overlay}: {told}");
        assert!(!["hunter2", "4711", "aHVu"].iter().any(|secret| told.contains(secret)), "{told}");
    }
}

#[test]
fn wrong_types_are_told_with_what_to_write() {
    for (overlay, fix) in [
        ("{workerSpec: {args: '-l info'}}", "write a list of words: [\"-l\", \"info\"]"),
        ("{workerSpec: {args: '-n $(A)'}}", "put each item into a line that begins with \"- \""),
        ("{workerSpec: {queues: 'a,b'}}", "write [\"a\", \"b\"]"),
        ("{workerPools: {fast: {}}}", "write a list: - name: fast"),
        ("{workerPools: {name: slow}}", "write a list: - name: slow"),
        ("{workerSpec: {timeLimit: 5m}}", "write seconds, such as 300"),
        ("{workerSpec: {timeLimit: 300000000000000000000d}}", "write a number"),
        ("{workerSpec: {timeLimit: 1h30m}}", "write seconds, such as 5400"),
        ("{workerSpec: {numOfWorkers: 5m}}", "write a whole number"),
        ("{workerSpec: {numOfWorkers: '80%'}}", "write 80"),
        ("{common: {broker: 'redis://:hush@cache/0'}}", "write broker: {url: …}"),
        ("{common: {resultBackend: 'redis://:hush@cache/0'}}", "write resultBackend: {url: …}"),
        ("{flowerSpec: {auth: 'user:hush'}}", "use auth.basic.secretRef, which names a Secret"),
        ("{flowerSpec: {ingress: true}}", "write ingress: {}"),
        ("{common: {image: {repository: shop, tag: '1'}}}", "write image: \"shop:1\""),
        ("{common: {env: ['A=hush']}}", "write {name: A, value: …}"),
        ("{common: {volumes: ['./a:/b']}}", "write {name: …, …} here, and the path under volumeMounts"),
        ("{workerSpec: [{name: fast}]}", "use workerPools for several"),
        ("{workerSpec: {gracefulShutdown: 300}}", "write gracefulShutdown: {timeoutSeconds: 300}"),
        ("{common: {envFrom: [shop-env]}}", "write {secretRef: {name: …}}, or {configMapRef: {name: …}}"),
        ("{common: {nodeSelector: disktype=ssd}}", "write nodeSelector: {disktype: \"ssd\"}"),
        (
            "{common: {nodeSelector: 'example.com/disk=ssd,zone=a'}}",
            "write nodeSelector: {example.com/disk: \"ssd\", zone: \"a\"}",
        ),
        ("{common: {podLabels: 'token=a'}}", "write a mapping"),
        ("{common: {nodeSelector: ssd}}", "write a mapping"),
        ("{workerSpec: {rolloutStrategy: Recreate}}", "write rolloutStrategy: {type: Recreate}"),
        ("{workerSpec: {rolloutStrategy: fast}}", "write a mapping"),
        ("{beatSpec: {persistence: 10Gi}}", "write persistence: {size: 10Gi}"),
        (
            "{scaleTargetRef: [{kind: worker, maxReplicas: 3, metrics: [{name: cpu, target: 10}]}]}",
            "write target: {type: AverageValue, averageValue: 10}",
        ),
    ] {
        let found = found(&format!("spec: {overlay}"));
        assert!(found.len() == 1 && found[0].ends_with(&format!("; {fix} [S02]")), "{overlay}: {found:#?}");
    }
}

#[test]
fn duplicates_of_a_map_list_are_found_by_their_keys() {
    let cpu = "metrics: [{name: cpu, target: {type: Utilization, averageUtilization: 80}}]";
    let twice = format!(
        "spec: {{scaleTargetRef: [{{kind: worker, maxReplicas: 3, {cpu}}}, {{kind: worker, pool: default, maxReplicas: 4, {cpu}}}]}}"
    );
    assert_eq!(
        found(&twice),
        [
            "spec.scaleTargetRef[1]: Duplicate value: \"kind=worker, pool=default\": is there already, as item 0; remove one of the two [S03]"
        ]
    );
}

/// What a schema finds in an object, messages and fixes alone, and what is left of the object.
fn of(schema: &serde_json::Value, object: &serde_json::Value) -> (Vec<String>, serde_json::Value) {
    let whole = json!({"type": "object", "properties": {"metadata": {"type": "object", "properties": {
        "name": {"type": "string"}}}, "it": schema}});
    let object = json!({"metadata": {"name": "shop"}, "it": object});
    let reading = walk::reading(&compiled::compiled(&whole), &object, &|_| None);
    let told = reading.findings.iter().map(|finding| format!("{}; {}", finding.message, finding.fix));
    (told.collect(), reading.object["it"].clone())
}

#[test]
fn bounds_are_where_the_definition_has_them() {
    let text = |min: u64, max: u64| json!({"type": "string", "minLength": min, "maxLength": max});
    let list = json!({"type": "array", "items": {"type": "integer"}, "minItems": 1, "maxItems": 2});
    let capped = json!({"type": "array", "items": {"type": "integer"}, "maxItems": 1});
    let map = json!({"type": "object", "maxProperties": 1, "additionalProperties": {"type": "string"}});
    let small = json!({"type": "integer", "format": "int32", "minimum": 1});
    for (schema, good, bad, told) in [
        (&list, json!([[1], [1, 2]]), json!([]), "has 0 items; use 1 to 2 items"),
        (&list, json!([]), json!([1, 2, 3]), "has 3 items; use 1 to 2 items"),
        (&capped, json!([[], [1]]), json!([1, 2]), "has 2 items; use at most 1 items"),
        (&text(2, 3), json!(["ab", "abc"]), json!("a"), "has 1 characters; use 2 to 3 characters"),
        (&text(2, 3), json!([]), json!("abcd"), "has 4 characters; use 2 to 3 characters"),
        (
            &json!({"type": "string", "maxLength": 1}),
            json!(["", "é"]),
            json!("ab"),
            "has 2 characters; use at most 1 characters",
        ),
        (
            &json!({"type": "string", "minLength": 1}),
            json!(["a"]),
            json!(""),
            "has 0 characters; use at least 1 characters",
        ),
        (&map, json!([{}, {"a": "x"}]), json!({"a": "x", "b": "y"}), "has 2 entries; use at most 1 entries"),
        (&small, json!([1, i32::MAX]), json!(0), "is out of bounds; use 1 to 2147483647"),
        (
            &json!({"type": "integer", "format": "uint32"}),
            json!([0, u32::MAX]),
            json!(-1),
            "is out of bounds; use 0 to 4294967295",
        ),
        (
            &json!({"type": "number", "maximum": 2}),
            json!([-1e300, 2]),
            json!(2.5),
            "is out of bounds; use 2 or less",
        ),
        (
            &json!({"type": "number", "minimum": 1}),
            json!([1, 1e300]),
            json!(0.5),
            "is out of bounds; use 1 or more",
        ),
    ] {
        for value in good.as_array().into_iter().flatten() {
            assert_eq!(of(schema, value), (vec![], value.clone()), "{schema}");
        }
        assert_eq!(of(schema, &bad).0, [told], "{schema}");
    }
    // What the type cannot hold is left out, what is only out of bounds is not.
    assert_eq!(of(&small, &json!(0)).1, 0);
    assert_eq!(of(&small, &json!(3_000_000_000_u64)).1, json!(null));
}

#[test]
fn every_kind_of_value_is_told_from_the_others() {
    let either = json!({"x-kubernetes-int-or-string": true});
    let free = json!({"type": "object", "x-kubernetes-preserve-unknown-fields": true});
    let known = json!({"type": "object", "x-kubernetes-preserve-unknown-fields": true, "properties": {"a": {"type": "string"}}});
    let closed = json!({"type": "object", "x-kubernetes-preserve-unknown-fields": false, "properties": {"a": {"type": "string"}}});
    for (schema, good) in [
        (&json!({"type": ["string", "null"]}), json!(["x"])),
        (&json!({"type": ["null", "boolean"]}), json!([true, false])),
        (&either, json!([1, "x"])),
        (&free, json!([{"b": 1}, 7, "x"])),
        (&known, json!([{"a": "x"}, {"b": 1}])),
        (&json!({"type": "object", "additionalProperties": true}), json!([{"b": 1}])),
    ] {
        for value in good.as_array().into_iter().flatten() {
            assert_eq!(of(schema, value), (vec![], value.clone()), "{schema}");
        }
    }
    for (schema, bad, told) in [
        (&json!({"type": ["string", "null"]}), json!([]), "is a list, the field takes a string"),
        (&json!({"type": "boolean"}), json!("x"), "is a string, the field takes true or false"),
        (&either, json!(1.5), "is a number with a fraction, the field takes a whole number or a string"),
        (&either, json!(true), "is a truth value, the field takes a whole number or a string"),
        (&known, json!({"a": []}), "is a list, the field takes a string"),
        (&closed, json!({"b": 1}), "there is no such field"),
        (
            &json!({"type": "object", "additionalProperties": false}),
            json!({"b": 1}),
            "there is no such field",
        ),
        (&json!({"type": "object"}), json!(5), "is a number, the field takes a mapping"),
    ] {
        let found = of(schema, &bad).0;
        assert!(found.len() == 1 && found[0].starts_with(told), "{schema}: {found:?}");
    }
    let measured = compiled::compiled(&json!({"type": "string", "maxLength": 9}));
    assert_eq!((measured.longest_text(), measured.most_entries()), (Some(9), None));
    let measured = compiled::compiled(&json!({"type": "object", "maxProperties": 9}));
    assert_eq!((measured.longest_text(), measured.most_entries()), (None, Some(9)));
}

#[test]
fn what_to_write_instead_depends_on_what_was_written() {
    let image = |parts: &str| format!("spec: {{common: {{image: {parts}}}}}");
    let env = |text: &str| format!("spec: {{common: {{env: [{text:?}]}}}}");
    let queues = |text: &str| format!("spec: {{workerSpec: {{queues: {text:?}}}}}");
    let long = "a".repeat(65);
    for (overlay, told) in [
        ("spec: {common: {podLabels: {tier: 1}}}".to_owned(), "spec.common.podLabels[tier]: "),
        ("spec: {workerSpec: {concurrency: true}}".to_owned(), "write a whole number or a string"),
        ("spec: {workerSpec: {numOfWorkers: ' 3 '}}".to_owned(), "write 3 without quotes"),
        ("spec: {workerSpec: {numOfWorkers: three}}".to_owned(), "write a whole number"),
        ("spec: {workerSpec: {numOfWorkers: 'a b'}}".to_owned(), "\"a b\""),
        ("spec: {workerSpec: {numOfWorkers: 'http://x'}}".to_owned(), "\"http://x\""),
        ("spec: {workerSpec: {taskEvents: 'True'}}".to_owned(), "write true without quotes"),
        ("spec: {workerSpec: {taskEvents: maybe}}".to_owned(), "write true or false"),
        ("spec: {flowerSpec: false}".to_owned(), "; remove it"),
        ("spec: {workerSpec: {probes: false}}".to_owned(), "write probes: {startup: {type: None}}"),
        ("spec: {workerSpec: {probes: {startup: false}}}".to_owned(), "write startup: {type: None}"),
        ("spec: {workerSpec: {probes: {liveness: false}}}".to_owned(), "; remove it"),
        ("spec: {flowerSpec: true}".to_owned(), "write flowerSpec: {}"),
        ("spec: {common: true}".to_owned(), "write {"),
        ("spec: {flowerSpec: {qqqq: text}}".to_owned(), "remove it; there are "),
        ("spec: {metadata: {name: a}}".to_owned(), "did you mean metadata?"),
        ("celeryApp: a".to_owned(), "did you mean spec.common.celeryApp?"),
        (image("{repository: a/b, tag: '1'}"), "write image: \"a/b:1\""),
        (image("{repository: 'a b', tag: '1'}"), "; write a string"),
        (image(&format!("{{repository: {0}/{0}, tag: '1'}}", "a".repeat(40))), "; write a string"),
        ("spec: {common: {celeryApp: {repository: a, tag: b}}}".to_owned(), "; write a string"),
        (env("A=b"), "write {name: A, value: …}"),
        (env("_A9_=b"), "write {name: _A9_, value: …}"),
        (env("9A=b"), "write {name: …, value: …}"),
        (env("AaA=b"), "write {name: …, value: …}"),
        (env("A=="), "write {name: …, value: …}"),
        (env("A="), "write {name: …, value: …}"),
        (env(&format!("{}=b", "A".repeat(65))), "write {name: …, value: …}"),
        (queues("a, b"), "write [\"a\", \"b\"]"),
        (queues("a b,c"), "put each item into a line"),
        (queues("a,b,c,d,e,f,g,h"), "\"h\"]"),
        (queues("a,b,c,d,e,f,g,h,i"), "put each item into a line"),
        (queues(&long), "put each item into a line"),
        ("spec: {common: {tolerations: {key: a}}}".to_owned(), "put each item into a line"),
        ("spec: {common: {volumes: {data: {emptyDir: {}}}}}".to_owned(), "write a list: - name: data"),
        ("spec: {beatSpec: {maxInterval: 90s}}".to_owned(), "write seconds, such as 90"),
        ("spec: {beatSpec: {maxInterval: 1d}}".to_owned(), "write seconds, such as 86400"),
        ("spec: {common: {volumes: [{name: a, secret: {secretName: s, defaultMode: '420'}}]}}".to_owned(), "write it without quotes"),
        ("spec: {common: {volumes: [{name: a, secret: {secretName: s, defaultMode: x}}]}}".to_owned(), "write a whole number"),
        (
            "spec: {scaleTargetRef: [{kind: worker, maxReplicas: 2, metrics: [{name: cpu, target: {type: AverageValue, averageValue: 1}}], pods: {a: 1}}]}".to_owned(),
            "there is no such field",
        ),
        (
            "spec: {scaleTargetRef: [{kind: worker, maxReplicas: 2, metrics: [{name: cpu, target: {type: Utilization}, pods: {}}]}]}".to_owned(),
            "there is no such field",
        ),
    ] {
        let found = found(&overlay);
        assert!(found.len() == 1 && found[0].contains(told), "{overlay}: {found:#?}");
    }
    let status = &found("spec: {workerSpec: {status: {}}}")[0];
    assert!(!status.contains("did you mean status?"), "{status}");
    assert!(!found(&env("a=b"))[0].contains("name: a,"));
    let unknown = found("spec: {common: {broker: {url: null, urlSecretRef: {name: a, key: b, qqqq: x}}}}");
    assert!(!unknown.is_empty() && !unknown.iter().any(|line| line.contains("namespace")), "{unknown:?}");
    let half =
        found("spec: {scaleTargetRef: [{kind: worker, maxReplicas: 2, metrics: [{name: cpu, pods: {}}]}]}");
    assert!(!half.is_empty() && !half.iter().any(|line| line.contains("Autoscaler")), "{half:?}");
    let resource = "{name: A, valueFrom: {resourceFieldRef: {resource: limits.cpu}}}";
    assert_eq!(found(&format!("spec: {{common: {{env: [{resource}]}}}}")), [""; 0]);
    let both = all_of("spec: {workerSpec: {numOfWorkers: x}, common: {celeryApp: null}}");
    assert!(
        both.iter().any(|line| line.ends_with("[C01]")) && both.iter().any(|line| line.ends_with("[S02]"))
    );
}
