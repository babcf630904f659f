// SPDX-License-Identifier: Apache-2.0
//! The cases of rules about who may look at Flower.

use super::*;

#[test]
fn a_door_to_the_outside_is_denied_and_one_with_a_guard_is_a_warning() {
    for (flower, expected) in [
        ("serviceType: NodePort", DENY),
        ("serviceType: LoadBalancer", DENY),
        ("serviceType: LoadBalancer, loadBalancerSourceRanges: [0.0.0.0/0]", DENY),
        ("serviceType: LoadBalancer, loadBalancerSourceRanges: [10.0.0.0/8]", WARN),
        ("ingress: {}", DENY),
        ("ingress: {annotations: {nginx.ingress.kubernetes.io/auth-url: 'https://sso/auth'}}", WARN),
        ("ingress: {annotations: {nginx.ingress.kubernetes.io/auth-type: none}}", DENY),
        ("ingress: {annotations: {traefik.ingress.kubernetes.io/router.middlewares: sso}}", WARN),
        ("serviceType: NodePort, envFrom: [{secretRef: {name: settings}}]", WARN),
        ("serviceType: NodePort, args: ['--conf=flowerconfig.py']", WARN),
    ] {
        assert_eq!(found(flower), [("F10", expected, "spec.flowerSpec.auth".to_owned())], "{flower}");
    }
}

#[test]
fn whoever_asks_for_credentials_is_left_alone() {
    for flower in [
        "serviceType: NodePort, args: ['--basic-auth=ann:$(PASSWORD)']",
        "serviceType: NodePort, env: [{name: FLOWER_BASIC_AUTH, valueFrom: {secretKeyRef: {name: a, key: b}}}]",
        "serviceType: NodePort, podTemplate: {spec: {containers: [{name: flower, env: [{name: FLOWER_BASIC_AUTH}]}]}}",
        "ingress: {}, auth: {allowUnauthenticated: true}",
        "envFrom: [{secretRef: {name: settings}}]",
        "serviceType: NodePort, unauthenticatedApi: true, auth: {basic: {secretRef: {name: a, key: b}}}",
    ] {
        assert_eq!(found(flower), [], "{flower}");
    }
}

#[test]
fn an_open_api_is_told_once() {
    assert_eq!(
        ids("serviceType: NodePort, env: [{name: FLOWER_UNAUTHENTICATED_API, value: 'yes'}]"),
        ["F12"]
    );
    assert_eq!(ids("unauthenticatedApi: true"), ["F11"]);
    let guarded =
        "serviceType: LoadBalancer, loadBalancerSourceRanges: [10.0.0.0/8], unauthenticatedApi: true";
    assert_eq!(of(guarded), [("F12", WARN)]);
    assert_eq!(of("env: [{name: FLOWER_UNAUTHENTICATED_API, value: 'true'}]"), []);
    let shut = "serviceType: NodePort, env: [{name: FLOWER_basic-auth, value: 'ada:hush'}]";
    assert!(!ids(shut).contains(&"F10"), "{shut}");
}

#[test]
fn users_of_a_known_secret_are_read_and_never_shown() {
    let text = |users: &str| {
        let texts = SecretTexts(BTreeMap::from([("users".to_owned(), users.to_owned())]));
        let facts = Facts { secrets: BTreeMap::from([("flower".to_owned(), texts)]), ..Facts::default() };
        findings("auth: {basic: {secretRef: {name: flower, key: users}}}", &facts)
    };
    assert_eq!(text("ann:hunter2,bob:two"), []);
    for (users, rule, severity) in [
        ("hunter2", "F13", DENY),
        ("ann:hunter2,", "F13", DENY),
        ("ann:hunter2\n", "F13", DENY),
        ("ann:hunter2,two", "F14", WARN),
    ] {
        let findings = text(users);
        assert_eq!((findings[0].rule, findings[0].severity), (rule, severity), "{users:?}");
        assert!(findings.len() == 1 && !findings[0].to_string().contains("hunter2"), "{findings:?}");
    }
}

#[test]
fn credentials_in_arguments_are_never_shown() {
    for argument in [
        "--basic_auht=ann:hunter2",
        "--basic_auth=hunter2",
        "--broker_api=ann:hunter2@mq:15672",
        "--url_prefix=a --basic_auth=ann:hunter2",
        "--oauth2_secret=hunter2 --x",
        "--oauth2-secert=hunter2",
    ] {
        assert!(!of(&format!("args: ['{argument}']")).is_empty(), "{argument}");
        let facts = Facts::default();
        for finding in
            findings(&format!("args: ['{argument}'], auth: {{allowUnauthenticated: true}}"), &facts)
        {
            assert!(!finding.to_string().contains("hunter2"), "{finding}");
        }
    }
}

#[test]
fn auth_says_one_thing() {
    assert_eq!(ids("auth: {}"), ["F34"]);
    assert_eq!(ids("serviceType: NodePort, auth: {allowUnauthenticated: false}"), ["F34"]);
}

#[test]
fn accounts_in_arguments_are_judged_as_fields_are() {
    let key = "--oauth2_key=a', '--oauth2_secret=$(S)', '--oauth2_redirect_uri=https://f/login', '--cookie_secret=$(C)";
    let github = "--auth_provider=flower.views.auth.GithubLoginHandler";
    let with = |args: &str| ids(&format!("args: ['{args}']"));
    assert_eq!(with(&format!("--auth=me@example.com', '{github}', '{key}")), Vec::<&str>::new());
    assert_eq!(with(&format!("--auth=.*@.*', '{github}', '{key}")), ["F15"]);
    assert_eq!(with(&format!("--auth=.*@example\\.com', '{github}', '{key}")), ["F15"]);
    assert_eq!(with("--auth=me@example.com"), ["F16"]);
    let wrong = "--auth_provider=flower.views.auth.GitHubLoginHandler";
    assert_eq!(with(&format!("--auth=me@example.com', '{wrong}', '{key}")), ["F17"]);
    assert_eq!(with(&format!("--auth=me@example.com', '--auth_provider=github', '{key}")), ["F17"]);
    assert_eq!(
        with(&format!("--auth=me@example.com', '--auth_provider=shop.auth.Handler', '{key}")),
        Vec::<&str>::new()
    );
    assert_eq!(with(&format!("--auth=me@example.com', '{github}', '--cookie_secret=$(C)")), ["F18"]);
    assert_eq!(with(&format!("--auth=me@example.com', '{github}', '{}", &key[..key.len() - 24])), ["F19"]);
    assert_eq!(ids(&format!("version: '1.2', args: ['--auth=me@example.com', '{key}']")), Vec::<&str>::new());
}

#[test]
fn typed_accounts_have_their_variants() {
    let oauth = |fields: &str| {
        ids(&format!(
            "auth: {{oauth: {{emails: [me@example.com], keySecretRef: {{name: o, key: a}}, secretSecretRef: {{name: o, key: b}}, \
             cookieSecretRef: {{name: o, key: c}}, {fields}}}}}"
        ))
    };
    let login = "redirectUri: 'https://flower.example.com/login'";
    assert_eq!(oauth(&format!("provider: google, {login}")), Vec::<&str>::new());
    assert_eq!(oauth(&format!("provider: okta, {login}")), ["F18"]);
    assert_eq!(oauth("provider: google, redirectUri: /login"), ["F18"]);
    assert_eq!(oauth("provider: google, redirectUri: 'https://flower.example.com/'"), ["F18"]);
    assert_eq!(ids("auth: {oauth: {}}"), ["F15", "F18", "F16", "F18", "F18", "F19"]);
}

#[test]
fn credentials_among_the_arguments_are_told_with_their_fields() {
    let found = |fields: &str| -> Vec<String> {
        let object = shop(&format!("spec: {{flowerSpec: {{{fields}}}}}"));
        let findings = check(&object, None, &Facts::default()).expect("a Celery");
        let told = findings.iter().filter(|finding| ["F52", "F53"].contains(&finding.rule));
        told.map(ToString::to_string).collect()
    };
    for (word, fix) in [
        ("--basic_auth=ann:hush", Some("set auth.basic.secretRef [F52]")),
        ("--basic-auth=ann:hush", Some("set auth.basic.secretRef [F52]")),
        ("--broker_api=http://ann:hush@mq/api/", Some("set brokerApiSecretRef [F52]")),
        ("--oauth2_secret=hush", Some("set auth.oauth.secretSecretRef [F52]")),
        ("--cookie_secret=hush", Some("set auth.oauth.cookieSecretRef [F52]")),
        ("--cookie_secret=$(COOKIE)", None),
        ("--broker_api=http://mq/api/", None),
        ("--max_tasks=5", None),
    ] {
        let told = found(&format!("args: ['{word}']"));
        assert_eq!(told.len(), usize::from(fix.is_some()), "{word}: {told:?}");
        assert!(told.iter().all(|line| line.ends_with(fix.unwrap_or_default()) && !line.contains("hush")));
    }
    let open = "auth: {allowUnauthenticated: true}";
    assert_eq!(found(&format!("args: ['--basic_auth=$(USERS)'], {open}")).len(), 1);
    assert_eq!(found(&format!("args: ['--basic_auth='], {open}")).len(), 0);
}

#[test]
fn a_password_over_an_ingress_without_tls_is_told() {
    let basic = "auth: {basic: {secretRef: {name: a, key: b}}}";
    let at = "spec.flowerSpec.ingress.tlsSecretName".to_owned();
    for flower in [
        format!("ingress: {{host: f.example.com}}, {basic}"),
        format!("ingress: {{annotations: {{nginx.ingress.kubernetes.io/ssl-redirect: 'false'}}}}, {basic}"),
        "ingress: {}, args: ['--basic-auth=ann:$(PASSWORD)']".to_owned(),
    ] {
        assert_eq!(super::found(&flower), [("F54", WARN, at.clone())], "{flower}");
    }
    for flower in [
        format!("ingress: {{tlsSecretName: tls}}, {basic}"),
        format!(
            "ingress: {{annotations: {{traefik.ingress.kubernetes.io/router.entrypoints: websecure}}}}, {basic}"
        ),
        format!(
            "ingress: {{annotations: {{alb.ingress.kubernetes.io/certificate-arn: 'arn:aws:x'}}}}, {basic}"
        ),
        format!(
            "ingress: {{annotations: {{alb.ingress.kubernetes.io/listen-ports: '[{{\"HTTPS\":443}}]'}}}}, {basic}"
        ),
        format!("serviceType: NodePort, {basic}"),
        "ingress: {}, auth: {allowUnauthenticated: true}".to_owned(),
    ] {
        assert_eq!(super::found(&flower), [], "{flower}");
    }
}

#[test]
fn an_escaped_dot_is_told_with_the_right_spelling() {
    let emails = |emails: &str| {
        let oauth = "provider: github, keySecretRef: {name: o, key: a}, secretSecretRef: {name: o, key: b}, \
                     cookieSecretRef: {name: o, key: c}, redirectUri: 'https://flower.example.com/login'";
        let object =
            shop(&format!("spec: {{flowerSpec: {{auth: {{oauth: {{{oauth}, emails: {emails}}}}}}}}}"));
        let findings = check(&object, None, &Facts::default()).expect("a Celery");
        findings.iter().map(ToString::to_string).collect::<Vec<_>>()
    };
    let path = "spec.flowerSpec.auth.oauth.emails[0]: Invalid value: ";
    assert_eq!(
        emails(r"['.*@example\.com']"),
        [format!(
            r#"{path}".*@example\\.com": has a backslash, which Flower takes for a letter of the address; write the dots as they are, as in ".*@example.com" [F15]"#
        )]
    );
    assert_eq!(
        emails("['team-[0-9]@example.com']"),
        [format!(
            r#"{path}"team-[0-9]@example.com": is a regular expression, of which Flower reads ".*" alone; list addresses, or one ".*@example.com" [F15]"#
        )]
    );
    assert_eq!(emails("['.*@example.com']"), [] as [String; 0]);
    assert_eq!(emails("[$(ADDRESS), a.b@example.com]"), [] as [String; 0]);
}
