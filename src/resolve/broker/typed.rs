// SPDX-License-Identifier: Apache-2.0
//! Brokers that are described by their parts: the URL is made here, and with it a Secret.

use std::fmt::Write as _;

use k8s_openapi::api::core::v1::{KeyToPath, SecretVolumeSource, Volume, VolumeMount};
use percent_encoding::utf8_percent_encode;
use serde_json::{Map, Value, json};

use super::{
    BrokerAccess, PATH, QueueSource, RedisLists, Sentinel, Tls, URL_VARIABLE, Unresolved, bracketed, plain,
    user_info, value,
};
use crate::api::{
    BrokerStatus, BrokerTls, CertReqs, Open, RabbitMqBroker, RedisBroker, RedisSentinel, SecretKeyRef,
    SqsBroker, Word as _,
};
use crate::celery::broker_url::Service;
use crate::celery::sqs::SCHEME;
use crate::effective;
use crate::names;
use crate::resolve::pod::{from_key, literal};
use crate::resolve::{SecretData, Sources};

/// Folder of the certificate of the broker's authority.
pub const AUTHORITY_FOLDER: &str = "/etc/celery-operator/broker";
/// Its file there.
const AUTHORITY_FILE: &str = "ca.crt";

pub(super) fn redis(redis: &RedisBroker, app: &str, sources: &Sources) -> BrokerAccess {
    let host = redis.host.as_deref().unwrap_or_default();
    let port = redis.port.unwrap_or(Service::REDIS.port.into());
    let address = format!("{}:{port}", bracketed(host));
    let database = redis.db.and_then(|db| u32::try_from(db).ok()).unwrap_or_default();
    let sentinels = redis.sentinel.as_ref().map(addresses);
    let passwords = read(redis.password_secret_ref.as_ref(), sources).and_then(|password| {
        let sentinels = redis.sentinel.as_ref().and_then(|sentinel| sentinel.password_secret_ref.as_ref());
        read(sentinels, sources).map(|of_sentinels| (password, of_sentinels))
    });
    let secret = passwords.as_ref().ok().map(|(password, of_sentinels)| {
        let user_info = user_info(redis.username.as_deref(), password.as_deref());
        parts([
            ("url", Some(redis_url(redis, &user_info, &address, database))),
            ("host", sentinels.is_none().then(|| host.to_owned())),
            ("port", sentinels.is_none().then(|| port.to_string())),
            ("address", sentinels.is_none().then(|| address.clone())),
            ("addresses", sentinels.as_ref().map(|list| list.join(","))),
            ("db", Some(database.to_string())),
            ("username", redis.username.clone()),
            ("password", password.clone()),
            ("sentinelPassword", of_sentinels.clone()),
        ])
    });
    let mut access = made(
        app,
        effective::broker::redis(redis).scheme,
        secret,
        passwords.map(|(password, of_sentinels)| QueueSource::Redis {
            address,
            database,
            username: redis.username.clone(),
            password,
            tls: redis.tls.as_ref().map(tls),
            sentinel: redis.sentinel.as_ref().map(|sentinel| Sentinel {
                master: sentinel.master_name.clone(),
                addresses: addresses(sentinel),
                password: of_sentinels,
            }),
            lists: RedisLists::default(),
        }),
    );
    access.shown.hosts = sentinels.unwrap_or_else(|| vec![host.to_owned()]);
    "redis".clone_into(&mut access.shown.source);
    if let (Some(_), Some(tls)) = (&redis.sentinel, &redis.tls) {
        // A URL of a sentinel takes no such parameters, and the sentinels are clients' business of their own.
        let options = client_options(tls);
        access.use_ssl = Some(options.clone().into());
        let of_sentinels = options.into_iter().chain([("ssl".to_owned(), json!(true))]);
        access.sentinel_kwargs = Some(of_sentinels.collect());
    }
    access.authority = redis.tls.as_ref().and_then(authority);
    access
}

/// One URL, or one for each sentinel.
fn redis_url(redis: &RedisBroker, user_info: &str, address: &str, database: u32) -> String {
    let scheme = effective::broker::redis(redis).scheme;
    if let Some(sentinel) = &redis.sentinel {
        let urls = addresses(sentinel).into_iter();
        let urls = urls.map(|address| format!("{scheme}://{user_info}{address}/{database}"));
        return urls.collect::<Vec<_>>().join(";");
    }
    let mut url = format!("{scheme}://{user_info}{address}/{database}");
    let Some(tls) = &redis.tls else { return url };
    let _ = write!(url, "?ssl_cert_reqs={}", cert_reqs(tls).as_str());
    if tls.ca_secret_ref.is_some() {
        let _ = write!(url, "&ssl_ca_certs={AUTHORITY_FOLDER}/{AUTHORITY_FILE}");
    }
    url
}

/// The encryption of a connection as the client of Redis takes it.
fn client_options(tls: &BrokerTls) -> Map<String, Value> {
    let file = tls.ca_secret_ref.as_ref().map(|_| json!(format!("{AUTHORITY_FOLDER}/{AUTHORITY_FILE}")));
    let options = [("ssl_cert_reqs", Some(json!(cert_reqs(tls).as_str()))), ("ssl_ca_certs", file)];
    options.into_iter().filter_map(|(name, option)| Some((name.to_owned(), option?))).collect()
}

fn addresses(sentinel: &RedisSentinel) -> Vec<String> {
    let with_port = |address: &String| {
        let has_port = address.rsplit_once(':').is_some_and(|(_, port)| port.parse::<u16>().is_ok());
        if has_port { address.clone() } else { format!("{}:{}", bracketed(address), Service::SENTINEL.port) }
    };
    sentinel.addresses.iter().map(with_port).collect()
}

pub(super) fn rabbitmq(rabbitmq: &RabbitMqBroker, app: &str, sources: &Sources) -> BrokerAccess {
    let Service { scheme, port } = effective::broker::rabbitmq(rabbitmq);
    let vhost = utf8_percent_encode(rabbitmq.vhost.as_deref().unwrap_or("/"), PATH).to_string();
    let location = format!("{}:{}", bracketed(&rabbitmq.host), rabbitmq.port.unwrap_or(port.into()));
    let urls = read(rabbitmq.username_secret_ref.as_ref(), sources).and_then(|user| {
        let password = read(rabbitmq.password_secret_ref.as_ref(), sources)?;
        let secret = read(rabbitmq.management_url_secret_ref.as_ref(), sources)?;
        let user_info = user_info(user.as_deref(), password.as_deref());
        let written =
            rabbitmq.management_url.as_ref().map(|url| url.replacen("://", &format!("://{user_info}"), 1));
        let management = secret.or(written).map(|url| management(&url, &vhost));
        Ok((format!("{scheme}://{user_info}{location}/{vhost}"), management))
    });
    let tls = rabbitmq.tls.as_ref().map(tls).filter(|tls| *tls != Tls::default());
    let secret = urls.as_ref().ok().map(|(url, management)| {
        parts([
            ("url", Some(url.clone())),
            ("host", Some(rabbitmq.host.clone())),
            ("managementUrl", management.clone()),
            // KEDA looks at an authority of its own only when it is told so, by a Secret.
            ("tls", tls.as_ref().map(|_| "enable".to_owned())),
        ])
    });
    let mut access = made(
        app,
        scheme,
        secret,
        urls.map(|(url, management)| QueueSource::RabbitMq { url, management, tls }),
    );
    access.shown.hosts = vec![rabbitmq.host.clone()];
    "rabbitmq".clone_into(&mut access.shown.source);
    // The transport takes no such parameters in the URL.
    access.use_ssl = rabbitmq.tls.as_ref().map(|tls| {
        let mut options = json!({ "cert_reqs": match cert_reqs(tls) {
            CertReqs::None => 0,
            CertReqs::Optional => 1,
            CertReqs::Required => 2,
        } });
        if tls.ca_secret_ref.is_some() {
            options["ca_certs"] = json!(format!("{AUTHORITY_FOLDER}/{AUTHORITY_FILE}"));
        }
        options
    });
    access.authority = rabbitmq.tls.as_ref().and_then(authority);
    access
}

/// The URL of the management API as KEDA takes it: the last element of its path is the virtual host.
fn management(url: &str, vhost: &str) -> String {
    let url = url.trim_end_matches('/');
    format!("{}/{vhost}", url.strip_suffix("/api").unwrap_or(url))
}

pub(super) fn sqs(sqs: &SqsBroker) -> BrokerAccess {
    let shown =
        BrokerStatus { scheme: SCHEME.to_owned(), hosts: vec![sqs.region.clone()], source: "sqs".to_owned() };
    let queues = QueueSource::Sqs {
        region: sqs.region.clone(),
        queue_urls: sqs.queue_urls.clone(),
        account_id: sqs.account_id.clone(),
        prefix: sqs.queue_name_prefix.clone().unwrap_or_default(),
        credentials: sqs.credentials_secret_name.clone(),
    };
    plain(literal(URL_VARIABLE, &format!("{SCHEME}://")), shown, Ok(queues))
}

/// A broker whose URL is in the Secret of its own.
fn made(
    app: &str,
    scheme: &str,
    secret: Option<SecretData>,
    queues: Result<QueueSource, Unresolved>,
) -> BrokerAccess {
    let shown = BrokerStatus { scheme: scheme.to_owned(), ..BrokerStatus::default() };
    BrokerAccess {
        secret,
        has_secret: true,
        ..plain(from_key(URL_VARIABLE, &names::broker_secret(app), "url"), shown, queues)
    }
}

/// The text of a key, without the line break that editors leave behind.
fn read(reference: Option<&SecretKeyRef>, sources: &Sources) -> Result<Option<String>, Unresolved> {
    let text = reference.map(|reference| value(reference, sources)).transpose()?;
    Ok(text.map(|text| text.trim_end_matches('\n').to_owned()))
}

fn parts<const N: usize>(parts: [(&str, Option<String>); N]) -> SecretData {
    parts.into_iter().filter_map(|(key, value)| Some((key.to_owned(), value?))).collect()
}

fn cert_reqs(tls: &BrokerTls) -> CertReqs {
    tls.cert_reqs.as_ref().and_then(Open::known).unwrap_or(CertReqs::Required)
}

fn tls(tls: &BrokerTls) -> Tls {
    Tls { unverified: cert_reqs(tls) == CertReqs::None, ca: tls.ca_secret_ref.clone() }
}

fn authority(tls: &BrokerTls) -> Option<(Volume, VolumeMount)> {
    let reference = tls.ca_secret_ref.as_ref()?;
    let name = names::BROKER_AUTHORITY_VOLUME.to_owned();
    let item = KeyToPath { key: reference.key.clone(), path: AUTHORITY_FILE.to_owned(), mode: None };
    let secret = SecretVolumeSource {
        secret_name: Some(reference.name.clone()),
        items: Some(vec![item]),
        ..SecretVolumeSource::default()
    };
    let mount = VolumeMount {
        name: name.clone(),
        mount_path: AUTHORITY_FOLDER.to_owned(),
        read_only: Some(true),
        ..VolumeMount::default()
    };
    Some((Volume { name, secret: Some(secret), ..Volume::default() }, mount))
}
