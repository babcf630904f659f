// SPDX-License-Identifier: Apache-2.0
//! Broker URLs, and other texts, as they may be shown.

use std::ops::Range;

use super::parse;

/// What ends a password: the sign itself, and those that other keyboards and text processors write for it.
pub(super) const AT: [char; 3] = ['@', '\u{ff20}', '\u{fe6b}'];
/// What begins one.
const COLON: [char; 4] = [':', '\u{ff1a}', '\u{fe55}', '\u{fe13}'];

/// The URL as it may be shown: user information and secret-like parameters are `***`.
///
/// Works on any text, also on what [`parse`] refuses: whatever stands before the last `@` counts as user information.
#[must_use]
pub fn masked(text: &str) -> String {
    failover(text, alone).unwrap_or_else(|| alone(text))
}

/// A list of URLs with users in more than one of them. Where one cannot be read nobody knows at which ";" a password
/// ends: then nothing behind the first scheme is shown.
fn failover(text: &str, each: impl Fn(&str) -> String) -> Option<String> {
    let (scheme, rest) = text.split_once("://")?;
    let (before, _) = rest.rsplit_once(AT)?;
    if !before.split(';').skip(1).any(|element| element.contains("://")) {
        return None;
    }
    let is_read = parse(text).iter().all(Result::is_ok);
    let elements = || text.split(';').map(&each).collect::<Vec<_>>().join(";");
    Some(if is_read { elements() } else { format!("{scheme}://***") })
}

fn alone(text: &str) -> String {
    let (head, rest) = match text.split_once("://") {
        Some((scheme, rest)) => (format!("{scheme}://"), rest),
        None => (String::new(), text),
    };
    if let Some(end) = rest.rfind(AT) {
        return format!("{head}***{}", masked_query(&rest[end..]));
    }
    let authority_end = rest.find(['/', '?', ';']).unwrap_or(rest.len());
    match rest[..authority_end].split_once(COLON) {
        // "user:password" with the host forgotten looks like this.
        Some((host, port)) if !port.bytes().all(|b| b.is_ascii_digit()) && !head.is_empty() => {
            format!("{head}{host}:***{}", masked_query(&rest[authority_end..]))
        }
        _ => format!("{head}{}", masked_query(rest)),
    }
}

/// Any text as it may be shown, be it a URL, a host, or a command.
#[must_use]
pub fn shown(text: &str) -> String {
    if !text.contains("://") {
        return veiled(text);
    }
    let each = |text: &str| veiled(&alone(text));
    failover(text, each).unwrap_or_else(|| each(text))
}

/// A text in which what has the form `user:password@` is `***@`. The digest of an image is none.
#[must_use]
pub fn veiled(text: &str) -> String {
    match credentials(text) {
        Some(place) => format!("{}***{}", &text[..place.start], &text[place.end..]),
        None => text.to_owned(),
    }
}

/// Where user and password stand in a text that is more than a URL, with the scheme if there is one.
#[must_use]
pub fn credentials(text: &str) -> Option<Range<usize>> {
    let behind = |(at, sign): &(usize, &str)| &text[at + sign.len()..];
    let is_digest =
        |at: &(usize, &str)| ["sha256:", "sha512:"].iter().any(|name| behind(at).starts_with(name));
    let (end, _) = text.rmatch_indices(AT).find(|at| !is_digest(at))?;
    // Behind the colon of a scheme, and before a blank, no password begins.
    let is_scheme = |at: &(usize, &str)| behind(at).starts_with("//");
    let is_end = |at: &(usize, &str)| behind(at).starts_with(char::is_whitespace);
    let (colon, _) = text[..end].match_indices(COLON).find(|at| !is_scheme(at) && !is_end(at))?;
    let before = text[..colon].char_indices().rev();
    let mut delimiters = before.filter(|(_, c)| c.is_whitespace() || "\"'`[({,;=".contains(*c));
    let begin = delimiters.next().map_or(0, |(at, c)| at + c.len_utf8());
    Some(begin..end)
}

/// Parameters whose values hold no secret and help to see what is wrong; those of all others are replaced.
pub(super) const SHOWN: [&str; 15] = [
    "ssl_cert_reqs",
    "ssl_ca_certs",
    "ssl_ca_path",
    "ssl_certfile",
    "ssl_keyfile",
    "ssl_check_hostname",
    "virtual_host",
    "login_method",
    "connect_timeout",
    "heartbeat",
    "failover_strategy",
    "socket_timeout",
    "socket_connect_timeout",
    "health_check_interval",
    "max_connections",
];

fn masked_query(text: &str) -> String {
    let Some((before, query)) = text.split_once('?') else {
        return text.to_owned();
    };
    let shown: Vec<String> = query
        .split('&')
        .map(|pair| match pair.split_once('=') {
            Some((key, _)) if !SHOWN.contains(&key) => format!("{key}=***"),
            _ => pair.to_owned(),
        })
        .collect();
    format!("{before}?{}", shown.join("&"))
}
