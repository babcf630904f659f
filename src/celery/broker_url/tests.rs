// SPDX-License-Identifier: Apache-2.0
//! Broker URLs as kombu reads them, what is told of those that it cannot use, and that none shows its credentials.

use super::*;

fn one(text: &str) -> Result<Endpoint, Defect> {
    let mut all = parse(text);
    assert_eq!(all.len(), 1, "{text}");
    all.remove(0)
}

#[test]
fn parts_are_read_as_kombu_reads_them() {
    let url = one("amqp://user:p%40ss@mq:5673/%2Fshop?heartbeat=10").expect("valid");
    assert_eq!((url.host.as_str(), url.port), ("mq", Some(5673)));
    assert_eq!((url.username.as_deref(), url.password.as_deref()), (Some("user"), Some("p@ss")));
    assert_eq!(url.virtual_host(), "/shop");
    assert_eq!(url.parameter("heartbeat"), Some("10"));

    // An "@" inside the password is no trouble: the last one separates.
    assert_eq!(one("redis://:p@ss@cache/2").expect("valid").password.as_deref(), Some("p@ss"));
    assert_eq!(one("redis://[::1]:6379/2").expect("valid").host, "::1");
    for same in ["amqp://mq", "amqp://mq/", "amqp://mq//"] {
        assert_eq!(one(same).expect("valid").virtual_host(), "/", "{same}");
    }
    assert_eq!(one("REDIS://cache").expect("valid").transport, Transport::Redis);
    assert!(one("sqs://").is_ok());
    assert!(one("sqs://AKIA:sec%2Fret@").is_ok());
    assert!(one("redis+socket:///run/redis.sock?virtual_host=1").is_ok());
    assert!(one("sqla+postgresql://u:p@db/tasks").is_ok());
}

#[test]
fn what_kombu_leaves_to_the_transport_is_left_alone() {
    for (text, host, password) in [
        ("mongodb://u:p@h1:27017,h2:27017/db?replicaSet=a", "h1", Some("p")),
        ("azureservicebus://SAS:a/b+c=@ns", "ns", Some("a/b+c=")),
        ("gcpubsub://projects/p", "projects", None),
        ("sqla+postgresql://u:p%2Fw@db:5432/t", "db", Some("p/w")),
        ("redis+socket:///run/a@b.sock?virtual_host=1", "", None),
    ] {
        let url = one(text).expect(text);
        assert_eq!((url.host.as_str(), url.password.as_deref()), (host, password), "{text}");
    }
    assert_eq!(one("amqp://mq/v@x").expect("a virtual host with an @").virtual_host(), "v@x");
}

/// Tried with the transport of kombu 5.5.
#[test]
fn a_service_bus_is_asked_by_somebody() {
    for (text, is_asked) in [
        ("azureservicebus://", false),
        ("azureservicebus://shop.servicebus.windows.net", false),
        ("azureservicebus://policy@shop", false),
        ("azureservicebus://@shop", false),
        ("azureservicebus://policy:a/b+c=@shop", true),
        ("azureservicebus://defaultazurecredential@shop", true),
        ("azureservicebus://ManagedIdentityCredential@shop", true),
        ("redis://cache", true),
    ] {
        assert_eq!(one(text).expect(text).lacks_policy(), !is_asked, "{text}");
    }
}

#[test]
fn each_defect_is_told_apart() {
    let unknown = |scheme: &str, meant: Option<&str>| Defect::UnknownScheme {
        scheme: scheme.to_owned(),
        meant: meant.map(str::to_owned),
    };
    for (text, defect) in [
        ("cache:6379", Defect::NoScheme),
        ("localhost", Defect::NoScheme),
        ("redis:/cache:6379/0", Defect::NoScheme),
        ("$(REDIS_URL)", Defect::NoScheme),
        ("", Defect::Empty),
        ("rabbitmq://mq", unknown("rabbitmq", Some("amqp"))),
        ("valkey://cache", unknown("valkey", Some("redis"))),
        ("rediss3://cache", unknown("rediss3", Some("rediss"))),
        ("nats://mq", unknown("nats", None)),
        ("redis+cluster://cache", Defect::RedisCluster),
        ("redis-cluster://cache", Defect::RedisCluster),
        (
            "amqp+ssl://mq",
            Defect::CompoundScheme { scheme: "amqp+ssl".to_owned(), meant: Some("amqps".to_owned()) },
        ),
        ("db+postgresql://db/tasks", Defect::BackendScheme),
        ("SQLA+postgresql://db", unknown("SQLA+postgresql", Some("sqla+postgresql"))),
        ("_redis://cache", unknown("_redis", Some("redis"))),
        ("amqp://a;sqla+sqlite:///b", Defect::NotInList("sqla+sqlite".to_owned())),
        ("redis://[cache]/0", Defect::Url(Fault::Brackets)),
        ("redis://[::1]6379/0", Defect::Url(Fault::Brackets)),
        ("redis://:p[ss@cache", Defect::Url(Fault::Unencoded('['))),
        ("sqla+postgresql://u:p/w@db:5432/t", Defect::Url(Fault::Unencoded('/'))),
        ("redis://:p;ss@cache", Defect::Url(Fault::Unencoded(';'))),
        ("redis://cache：6379/0", Defect::Url(Fault::Confusable('：'))),
        ("redis://cache:notaport/0", Defect::Url(Fault::Port)),
        ("redis://cache:99999/0", Defect::Url(Fault::Port)),
        ("redis://cache:0/0", Defect::Url(Fault::Port)),
        ("redis://:p#ss@cache:6379/0", Defect::Url(Fault::Unencoded('#'))),
        ("redis://:p/ss@cache:6379/0", Defect::Url(Fault::Unencoded('/'))),
        ("amqp://u:p?ss@mq", Defect::Url(Fault::Unencoded('?'))),
        ("redis://:p@ss#w@cache/0", Defect::Url(Fault::Unencoded('#'))),
        ("amqp://u:p@ss#w@mq", Defect::Url(Fault::Unencoded('#'))),
        ("redis://:p@ss/w@cache/0", Defect::Url(Fault::Unencoded('/'))),
        ("amqp://secret/x@mq:5672//", Defect::Url(Fault::Unencoded('/'))),
        ("amqp://user:12/secret@mq:5672//", Defect::Url(Fault::Unencoded('/'))),
        ("redis://cache/abc", Defect::Database),
        ("redis://cache/-1", Defect::Database),
        ("redis://a/0,redis://b/0", Defect::CommaList),
        ("redis://:p@a:6379,redis://:p@b:6379/0", Defect::CommaList),
        ("amqp://a:5672,amqp://b:5672", Defect::CommaList),
        ("redis://a:6379,b:6379/0", Defect::Url(Fault::Port)),
        ("pyamqps://mq", unknown("pyamqps", Some("amqps"))),
        ("rabbitmqs://mq", unknown("rabbitmqs", Some("amqps"))),
        ("redis-sentinel://a", unknown("redis-sentinel", Some("sentinel"))),
        (
            "rediss+sentinel://a",
            Defect::CompoundScheme {
                scheme: "rediss+sentinel".to_owned(),
                meant: Some("sentinel".to_owned()),
            },
        ),
        (" redis://cache", Defect::WhiteSpace),
        ("redis://cache\n", Defect::WhiteSpace),
        ("redis+socket://", Defect::NoSocket),
        ("redis+socket:///run/redis.sock?virtual_host=a", Defect::Database),
        ("redis://cache?visibility_timeout=60", Defect::Parameter("visibility_timeout".to_owned())),
        ("redis://cache?virtual_host=1", Defect::Parameter("virtual_host".to_owned())),
        ("amqp://mq?connect_timeout=5", Defect::Parameter("connect_timeout".to_owned())),
        ("redis://cache?ssl=true", Defect::Parameter("ssl".to_owned())),
        ("rediss://cache?ssl_nosuch=a", Defect::Parameter("ssl_nosuch".to_owned())),
        ("amqp://mq?heartbeat=often", Defect::ParameterValue("heartbeat".to_owned())),
        ("amqp://mq?login_method=plain", Defect::ParameterValue("login_method".to_owned())),
        ("rediss://cache?ssl_cert_reqs=bogus", Defect::CertReqs("bogus".to_owned())),
        ("amqps://mq?ssl_ca_certs=/ca.pem", Defect::TlsParameter("ssl_ca_certs".to_owned())),
    ] {
        let found = parse(text).into_iter().find_map(Result::err);
        assert_eq!(found.expect(text), defect, "{text}");
    }
}

#[test]
fn facts_follow_the_url() {
    for (text, tls, verified) in [
        ("redis://cache", false, None),
        ("redis://cache?ssl_cert_reqs=none", true, Some(false)),
        ("redis://cache?ssl_ca_certs=/ca.pem", true, Some(true)),
        ("rediss://cache", true, Some(false)),
        ("rediss://cache?ssl_ca_certs=/ca.pem", true, Some(true)),
        ("rediss://cache?ssl_cert_reqs=optional", true, Some(true)),
        ("sentinel://cache?ssl_cert_reqs=required", true, Some(true)),
        ("amqp://mq?ssl=false", true, Some(true)),
        ("amqps://mq", true, Some(true)),
        ("sqs://?ssl_cert_reqs=none", false, None),
    ] {
        let url = one(text).expect(text);
        assert_eq!((url.tls(), url.verifies_certificates()), (tls, verified), "{text}");
    }
    for (text, port, remote, since) in [
        ("redis://cache", Some(6379), true, 0),
        ("sentinel://cache?credential_provider=a:B", Some(26379), true, 6),
        ("amqp://mq?ssl=1", Some(5671), true, 0),
        ("amqp://mq:1", Some(1), true, 0),
        ("sqs://", None, false, 0),
        ("kafka://mq", None, false, 4),
        ("pgmq://db", None, true, 7),
        ("mongodb+srv://db", None, true, 0),
        ("sqla+mysql+pymysql://db/t", None, false, 0),
    ] {
        let url = one(text).expect(text);
        assert_eq!(
            (url.effective_port(), url.has_remote_control(), url.kombu_since()),
            (port, remote, since)
        );
    }
    let extra = |text| one(text).expect(text).extra_package().and_then(|package| package.extra);
    assert_eq!(extra("sqla+postgresql://db/t"), Some("sqlalchemy"));
    assert_eq!(extra("amqp://mq"), None);
    let socket = one("redis+socket:///run/redis.sock?virtual_host=3").expect("a socket");
    assert_eq!((socket.path.as_str(), socket.database()), ("run/redis.sock", Some(3)));
}

#[test]
fn a_scheme_alone_tells_what_it_selects() {
    for (text, transport, broadcasts) in [
        ("AMQPS", Transport::Amqp, true),
        ("redis+socket", Transport::RedisSocket, true),
        ("sqla+postgresql", Transport::Other, false),
        ("slmq", Transport::Other, false),
    ] {
        let scheme: Scheme = text.parse().expect(text);
        let name = text.to_ascii_lowercase();
        assert_eq!(scheme, Scheme { name, transport, broadcasts });
    }
    for text in ["", "valkey", "redis+tls", "$(SCHEME)"] {
        assert!(text.parse::<Scheme>().is_err(), "{text}");
    }
}

#[test]
fn what_may_come_from_a_secret_is_not_quoted() {
    for text in
        ["hush+x://h", "hush://h", "redis://h?hush=1", "rediss://h?ssl_cert_reqs=hush", "amqp://h?ssl_hush=a"]
    {
        let told = one(text).expect_err(text).unquoted();
        assert!(!told.contains("hush"), "{told}");
    }
}

#[test]
fn failover_lists_keep_their_elements_apart() {
    let all = parse("amqp://a;b:5672;");
    assert!(all[0].is_ok());
    assert_eq!(all[1], Err(Defect::NoScheme));
    assert_eq!(all[2], Err(Defect::Empty));
}

#[test]
fn no_credential_is_shown() {
    for (text, shown) in [
        ("redis://:secret@cache:6379/0", "redis://***@cache:6379/0"),
        ("redis://:se@cr#et/@cache:6379/0", "redis://***@cache:6379/0"),
        ("amqp://user:secret@a;amqp://user:secret@b", "amqp://***@a;amqp://***@b"),
        ("amqp://u:secret@a:5672//;redis://:secret@b:6379/0", "amqp://***@a:5672//;redis://***@b:6379/0"),
        ("redis://:sec;secret://ret@cache", "redis://***"),
        ("amqp://app@a;b:5672", "amqp://***@a;b:5672"),
        ("user:secret@mq", "***@mq"),
        ("redis://user:secret", "redis://user:***"),
        ("redis://cache?password=secret&ssl_cert_reqs=none", "redis://cache?password=***&ssl_cert_reqs=none"),
        ("rediss://cache?ssl_keyfile_password=secret", "rediss://cache?ssl_keyfile_password=***"),
        ("redis://cache:6379/0", "redis://cache:6379/0"),
        ("cache:6379", "cache:6379"),
        // Letters that look like the signs.
        ("redis://app：secret＠cache:6379/0", "redis://***＠cache:6379/0"),
        ("redis://app:secret＠cache", "redis://***＠cache"),
        ("redis://app：secret@cache", "redis://***@cache"),
        ("redis://app﹕secret﹫cache", "redis://***﹫cache"),
        ("redis://app：secret", "redis://app:***"),
        ("amqp://u：secret＠a;amqp://u：secret＠b", "amqp://***"),
        // What helps to see what is wrong.
        (
            "redis://cache?socket_timeout=5s&client_name=secret",
            "redis://cache?socket_timeout=5s&client_name=***",
        ),
    ] {
        assert_eq!(masked(text), shown);
    }
}

#[test]
fn any_text_is_shown_without_what_has_the_form_of_credentials() {
    for (text, wanted) in [
        ("app:hush@cache", "***@cache"),
        (":hush@cache:6379", "***@cache:6379"),
        ("a:hu:sh@b@cache", "***@cache"),
        ("app:hu sh@cache", "***@cache"),
        ("app:hush@x://cache", "***@x://cache"),
        ("celery -b amqp://app:hush@mq -n mail@%h", "celery -b amqp://***@%h"),
        ("celery --broker=app:hush@mq -E", "celery --broker=***@mq -E"),
        ("[\"a\",\"app:hush@mq\"]", "[\"a\",\"***@mq\"]"),
        ("redis://:hush@cache/0?password=hush", "redis://***@cache/0?password=***"),
        ("app:hush@sha256:cache@mq", "***@mq"),
        ("app.example.com:5000/shop:1@sha256:0a", "app.example.com:5000/shop:1@sha256:0a"),
        ("mail@%h:5", "mail@%h:5"),
        ("a: b@c", "a: b@c"),
        ("app：hush＠cache", "***＠cache"),
        ("app:hush＠sha256:cache＠mq", "***＠mq"),
        ("celery -b amqp：//app：hush＠mq -E", "celery -b ***＠mq -E"),
        ("größe＠mq", "größe＠mq"),
        ("redis://cache:6379/0", "redis://cache:6379/0"),
        ("a:b", "a:b"),
    ] {
        assert_eq!(shown(text), wanted);
        assert_eq!(shown(wanted), wanted);
    }
}

#[test]
fn no_text_makes_it_panic() {
    for text in [
        "://",
        "redis://[]@[]:[]",
        "redis://[::1%]/",
        "redis+socket://?virtual_host=/",
        "a://[",
        "a://]",
        "redis://[",
        "%",
        "redis://%ff%@%:%",
        ";;;",
        "é://ü:ö@ä:1/ß",
        "redis://@:/?#",
    ] {
        let _ = parse(text);
        let _ = (masked(text), shown(text));
    }
}
