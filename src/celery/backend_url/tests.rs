// SPDX-License-Identifier: Apache-2.0
//! URLs of result backends as Celery reads them, and what is told of those that it cannot use.

use super::*;

#[test]
fn backends_are_read_as_celery_reads_them() {
    let redis = parse("rediss://app:p%40ss@Cache:6380/2?ssl_cert_reqs=none").expect("valid");
    let location = &redis.locations[0];
    assert_eq!((location.host.as_str(), location.port, location.database), ("cache", Some(6380), Some(2)));
    assert_eq!((location.username.as_deref(), location.password.as_deref()), (Some("app"), Some("p@ss")));
    assert_eq!((redis.tls(), redis.verifies_certificates()), (true, Some(false)));

    for (text, kind, driver) in [
        ("disabled", BackendKind::Disabled, None),
        ("rpc://", BackendKind::Rpc, None),
        ("rpc", BackendKind::Rpc, None),
        ("redis", BackendKind::Redis, None),
        ("redis+socket:///run/redis.sock?virtual_host=2", BackendKind::Redis, Some("socket")),
        ("sentinel://a:26379/1;sentinel://b:26379/1", BackendKind::Sentinel, None),
        ("cache+memcached://mc:11211/;mc2:11211/", BackendKind::Cache, Some("memcached")),
        ("cache+memory://", BackendKind::Cache, Some("memory")),
        ("db+postgresql+psycopg2://u:p@db/t", BackendKind::Database, Some("postgresql+psycopg2")),
        ("database+sqlite:///results.db", BackendKind::Database, Some("sqlite")),
        ("file:///var/results", BackendKind::File, None),
        ("mongodb+srv://u:p@db/t", BackendKind::Mongo, Some("srv")),
        ("elasticsearch+https://es:9200/index", BackendKind::Elasticsearch, Some("https")),
        ("gs://bucket", BackendKind::GoogleStorage, None),
        ("django-db", BackendKind::Django, None),
        ("my.module:Backend", BackendKind::Class, None),
        ("my.module.Backend://x", BackendKind::Class, None),
    ] {
        let backend = parse(text).expect(text);
        assert_eq!((backend.kind, backend.driver.as_deref()), (kind, driver), "{text}");
    }
    assert!(parse("db+mysql://u:p@db/t").expect("valid").has_password());
    assert!(!format!("{:?}", parse("db+mysql://u:hush@db/t")).contains("hush"));
    assert_eq!(parse("file://localhost/a").expect("valid").locations[0].path, "/a");
    assert_eq!(parse("s3://b").expect("valid").needed_settings(), ["s3_bucket"]);
    assert_eq!(parse("gs://b").expect("valid").celery_since(), 4);
    assert!(parse("cache+memory://").expect("valid").is_private());
    let extra = |text| parse(text).expect(text).package().map(|package| package.name);
    assert_eq!(extra("django-db"), Some("django-celery-results"));
    assert_eq!(extra("cache+memory://"), None);
}

#[test]
fn each_defect_is_told_apart() {
    let unknown = |name: &str, meant: Option<&str>| Defect::Unknown {
        name: name.to_owned(),
        meant: meant.map(str::to_owned),
    };
    let prefix = |scheme: &str, meant: &str| Defect::MissingPrefix {
        scheme: scheme.to_owned(),
        meant: meant.to_owned(),
    };
    for (text, defect) in [
        ("", Defect::Empty),
        ("redis://cache/0 ", Defect::WhiteSpace),
        ("cache:6379", Defect::NoScheme),
        ("redis:/cache:6379/0", Defect::NoScheme),
        ("postgresql://u:p@db/t", prefix("postgresql", "db+postgresql")),
        ("postgres+psycopg2://db/t", prefix("postgres", "db+postgresql+psycopg2")),
        ("mysql+pymysql://db/t", prefix("mysql", "db+mysql+pymysql")),
        ("memcached://mc:11211", prefix("memcached", "cache+memcached")),
        ("amqp://mq", Defect::Removed { scheme: "amqp".to_owned(), instead: Some("rpc") }),
        ("riak://db", Defect::Removed { scheme: "riak".to_owned(), instead: None }),
        ("sqs://", Defect::BrokerScheme("sqs".to_owned())),
        ("valkey://cache", unknown("valkey", Some("redis"))),
        ("Redis://cache", unknown("Redis", Some("redis"))),
        ("redsi://cache", unknown("redsi", Some("redis"))),
        ("nosuch://x", unknown("nosuch", None)),
        ("localhost", unknown("localhost", None)),
        ("redis+cluster://cache/0", Defect::CompoundScheme("redis+cluster".to_owned())),
        ("redis+ssl://cache/0", Defect::CompoundScheme("redis+ssl".to_owned())),
        ("db+postgres://db/t", Defect::Dialect { written: "postgres".to_owned(), meant: "postgresql" }),
        ("db://u:p@db/t", Defect::NoDialect),
        ("cache+redis://c", Defect::UnknownCache("redis".to_owned())),
        ("cache://c", Defect::UnknownCache("cache".to_owned())),
        ("file", Defect::NoPath),
        ("file://", Defect::NoPath),
        ("redis+socket://", Defect::NoPath),
        ("redis://cache:port/0", Defect::Url(Fault::Port)),
        ("redis://[cache]/0", Defect::Url(Fault::Brackets)),
        ("redis://:p#ss@cache/0", Defect::Url(Fault::Unencoded('#'))),
        ("redis://cache/abc", Defect::Database),
        ("redis://cache//", Defect::Database),
        ("redis://a/0;redis://b/0", Defect::List),
        ("redis://a/0,redis://b/0", Defect::List),
        ("sentinel://a/0;b:26379", Defect::NoScheme),
        ("sentinel://a/0;", Defect::Empty),
        ("rediss://cache/0", Defect::CertReqsMissing),
        ("rediss://cache/0?ssl_cert_reqs=bogus", Defect::CertReqs("bogus".to_owned())),
        ("redis://cache/0?ssl_cert_reqs=none", Defect::TlsOnPlain("ssl_cert_reqs".to_owned())),
        ("redis://cache/0?nosuch=1", Defect::Parameter("nosuch".to_owned())),
        ("redis://cache/0?socket_timeout=soon", Defect::ParameterValue("socket_timeout".to_owned())),
    ] {
        assert_eq!(parse(text).expect_err(text), defect, "{text}");
    }
}

#[test]
fn what_may_come_from_a_secret_is_not_quoted() {
    for text in
        ["hush://h", "redis+hush://h", "cache+hush://h", "redis://h?hush=1", "rediss://h?ssl_cert_reqs=hush"]
    {
        let told = parse(text).expect_err(text).unquoted();
        assert!(!told.contains("hush"), "{told}");
    }
}

#[test]
fn no_text_makes_it_panic() {
    for text in
        ["://", "+://", "redis+://", "db+://", ":", ".", "file://é", "sentinel://;;", "redis://[%", "cache+"]
    {
        let _ = parse(text);
    }
}
