// SPDX-License-Identifier: Apache-2.0
//! Broker URLs with placeholders for their credentials, of which the same can be made as of the real ones.

use super::masked::{AT, SHOWN};
use super::parse;
use crate::celery::url::may_hide;

/// What stands where a credential belongs.
pub const REDACTED: &str = "REDACTED";

/// A broker URL, or a list of them, with placeholders for user, password and parameters that may hold one; the rest
/// keeps its form, so that the same children follow from it. A text that is no such URL is replaced whole.
#[must_use]
pub fn redacted(text: &str) -> String {
    let urls: Vec<String> = text.trim_end_matches('\n').split(';').map(redacted_url).collect();
    urls.join(";")
}

fn redacted_url(url: &str) -> String {
    let endpoints = parse(url);
    let is_broker = matches!(endpoints.as_slice(), [Ok(_)]);
    let Some((scheme, rest)) =
        url.split_once("://").filter(|(scheme, rest)| is_broker || is_web(scheme, rest))
    else {
        return REDACTED.to_owned();
    };
    // An "@" behind the host part may follow a password with a separator in it, and what looks like one is meant as one.
    if may_hide(url) || url.contains(|letter: char| letter != '@' && AT.contains(&letter)) {
        return REDACTED.to_owned();
    }
    let rest = rest.split('#').next().unwrap_or_default();
    let (rest, query) = rest.split_once('?').map_or((rest, None), |(rest, query)| (rest, Some(query)));
    let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    let (user_info, location) =
        authority.rsplit_once('@').map_or((None, authority), |(user, rest)| (Some(user), rest));
    let user_info = match user_info.map(|user_info| user_info.split_once(':')) {
        None => String::new(),
        Some(None) => format!("{REDACTED}@"),
        Some(Some(("", _))) => format!(":{REDACTED}@"),
        Some(Some(_)) => format!("{REDACTED}:{REDACTED}@"),
    };
    let query = query.map(|query| format!("?{}", redacted_query(query))).unwrap_or_default();
    format!("{scheme}://{user_info}{location}{path}{query}")
}

/// Whether this is a plain address of a management API: after the user information a host, perhaps with a port, and then
/// nothing but a path.
fn is_web(scheme: &str, rest: &str) -> bool {
    let (authority, _) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    let location = authority.rsplit_once('@').map_or(authority, |(_, location)| location);
    let (host, port) = location.rsplit_once(':').unwrap_or((location, "0"));
    let is_host = !host.is_empty()
        && host.chars().all(|letter| letter.is_ascii_alphanumeric() || "-._".contains(letter));
    ["http", "https"].contains(&scheme)
        && is_host
        && port.parse::<u16>().is_ok()
        && !rest.contains(['?', '#', ' ', ';'])
}

fn redacted_query(query: &str) -> String {
    let shown = |pair: &str| match pair.split_once('=') {
        Some((name, _)) if SHOWN.contains(&name) => pair.to_owned(),
        Some((name, _)) if !name.contains('%') => format!("{name}={REDACTED}"),
        _ => REDACTED.to_owned(),
    };
    query.split('&').map(shown).collect::<Vec<_>>().join("&")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_keep_their_form_and_lose_their_credentials() {
        for (url, shown) in [
            ("redis://cache:6379/0", "redis://cache:6379/0"),
            ("redis://:hunter2@cache/1\n", "redis://:REDACTED@cache/1"),
            ("amqp://app:hunter2@mq:5672//", "amqp://REDACTED:REDACTED@mq:5672//"),
            ("amqp://hunter2@mq", "amqp://REDACTED@mq"),
            (
                "amqp://a:hunter2@a;amqp://a:hunter2@b",
                "amqp://REDACTED:REDACTED@a;amqp://REDACTED:REDACTED@b",
            ),
            (
                "rediss://cache?ssl_cert_reqs=none&ssl_ca_certs=/tls/ca.crt",
                "rediss://cache?ssl_cert_reqs=none&ssl_ca_certs=/tls/ca.crt",
            ),
            ("rediss://cache?ssl_password=hunter2&hunter2", "rediss://cache?ssl_password=REDACTED&REDACTED"),
            ("amqp://app:p@hunter2/hunter2@mq:5672/vh", "REDACTED"),
            ("redis://:p@hunter2?hunter2@cache:6379/0", "REDACTED"),
            (
                "mongodb://db/tasks?authSource=hunter2&hunter2",
                "mongodb://db/tasks?authSource=REDACTED&REDACTED",
            ),
            ("redis://cache?password=hunter2", "REDACTED"),
            ("mongodb://app:x/hunter2@db/hunter2", "REDACTED"),
            ("http://app:hunter2@mq:15672/shop", "http://REDACTED:REDACTED@mq:15672/shop"),
            ("https://mq/%2F", "https://mq/%2F"),
            ("http://app:hunter2", "REDACTED"),
            ("http://app:hunter2#@mq", "REDACTED"),
            ("http://app:p/hunter2@mq", "REDACTED"),
            ("hunter2", "REDACTED"),
            ("amqp://app:hunter2＠mq", "REDACTED"),
            ("amqp://app/hunter2＠mq", "REDACTED"),
            ("redis://:hunter2#@cache", "REDACTED"),
            ("hunter2://x", "REDACTED"),
        ] {
            assert_eq!(redacted(url), shown);
        }
    }
}
