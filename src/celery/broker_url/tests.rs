// SPDX-License-Identifier: Apache-2.0
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
        ("sqla+postgresql://u:p/w@db:5432/t", "db", Some("p/w")),
        ("redis+socket:///run/a@b.sock?virtual_host=1", "", None),
    ] {
        let url = one(text).expect(text);
        assert_eq!((url.host.as_str(), url.password.as_deref()), (host, password), "{text}");
    }
    assert_eq!(one("amqp://mq/v@x").expect("a virtual host with an @").virtual_host(), "v@x");
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
        ("redis://cache:notaport/0", Defect::Port),
        ("redis://cache:99999/0", Defect::Port),
        ("redis://cache:0/0", Defect::Port),
        ("redis://:p#ss@cache:6379/0", Defect::PasswordNotEncoded('#')),
        ("redis://:p/ss@cache:6379/0", Defect::PasswordNotEncoded('/')),
        ("amqp://u:p?ss@mq", Defect::PasswordNotEncoded('?')),
        ("redis://:p@ss#w@cache/0", Defect::PasswordNotEncoded('#')),
        ("amqp://u:p@ss#w@mq", Defect::PasswordNotEncoded('#')),
        ("redis://:p@ss/w@cache/0", Defect::PasswordNotEncoded('/')),
        ("amqp://secret/x@mq:5672//", Defect::PasswordNotEncoded('/')),
        ("amqp://user:12/secret@mq:5672//", Defect::PasswordNotEncoded('/')),
        ("redis://cache/abc", Defect::Database),
        ("redis://cache/-1", Defect::Database),
        ("redis://a/0,redis://b/0", Defect::CommaList),
        (" redis://cache", Defect::WhiteSpace),
        ("redis://cache\n", Defect::WhiteSpace),
    ] {
        assert_eq!(one(text).expect_err(text), defect, "{text}");
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
        ("amqp://user:secret@a;amqp://user:secret@b", "amqp://***@b"),
        ("user:secret@mq", "***@mq"),
        ("redis://user:secret", "redis://user:***"),
        ("redis://cache?password=secret&ssl_cert_reqs=none", "redis://cache?password=***&ssl_cert_reqs=none"),
        ("rediss://cache?ssl_keyfile_password=secret", "rediss://cache?ssl_keyfile_password=***"),
        ("redis://cache:6379/0", "redis://cache:6379/0"),
        ("cache:6379", "cache:6379"),
    ] {
        assert_eq!(masked(text), shown);
    }
}

#[test]
fn no_text_makes_it_panic() {
    for text in [
        "://",
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
        let _ = masked(text);
    }
}
