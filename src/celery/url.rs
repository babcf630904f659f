// SPDX-License-Identifier: Apache-2.0
//! What stands behind `scheme://`, as Python and kombu read it.
//!
//! kombu hands the rest of every URL to `urllib` as if it were `http://`: the authority ends at the first `/`, `?` or
//! `#`, the user information at its last `@`, and the port is an integer. Everything is percent-decoded afterwards.
//! Brokers and result backends share this reading; which schemes there are, and what a path means, is their own.

use std::net::Ipv6Addr;

use percent_encoding::percent_decode_str;
use thiserror::Error;

/// The parts, decoded; an empty part counts as absent, as it does for kombu.
#[derive(Clone, Default, PartialEq, Eq)]
pub(super) struct Parts {
    /// Host in lower case, without brackets.
    pub(super) host: String,
    pub(super) port: Option<u16>,
    pub(super) username: Option<String>,
    pub(super) password: Option<String>,
    /// What follows the slash behind the host.
    pub(super) path: String,
    /// Parameters with a value, each name once: the last value wins.
    pub(super) query: Vec<(String, String)>,
}

/// Why the parts cannot be told apart, or are others than meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum Fault {
    /// The port is not the number of a port. For kombu, 0 is no port at all.
    #[error("has a port that is not a number from 1 to 65535")]
    Port,
    /// Brackets without an IPv6 address in them, or with something beside them.
    #[error("has brackets in its host part that do not hold an IPv6 address")]
    Brackets,
    /// A character that Python refuses in front of a path, because its normal form would end it.
    #[error("has {0:?} in its host part, which looks like a separator")]
    Confusable(char),
    /// A character of the password that has a meaning in a URL.
    #[error("has {0:?} in its password, which ends the host part")]
    Unencoded(char),
}

impl Fault {
    /// The same, without a character of the URL.
    pub(super) fn unquoted(self) -> String {
        match self {
            Self::Unencoded(_) => {
                "has a password that is not percent-encoded: @ is %40, # is %23, / is %2F, ? is %3F"
                    .to_owned()
            }
            Self::Confusable(_) => "has a character in its host part that looks like a separator".to_owned(),
            Self::Port | Self::Brackets => self.to_string(),
        }
    }
}

/// Characters that Python refuses in front of a path, because their normal form would end it.
const CONFUSABLE: &[char] = &[
    '℀', '℁', '℅', '℆', '⩴', '︓', '︖', '﹕', '﹖', '﹟', '﹫', '＃', '／', '：', '？', '＠', '⁇', '⁈', '⁉',
];

/// What stands before the path: user information and location.
type Authority<'a> = (Option<&'a str>, &'a str);

/// The authority and what follows it. Python looks for brackets and confusable characters there before anything else.
pub(super) fn authority(rest: &str) -> Result<(Authority<'_>, &str), Fault> {
    let cut = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let (authority, tail) = rest.split_at(cut);
    let (user_info, location) = match authority.rsplit_once('@') {
        Some((user_info, location)) => (Some(user_info), location),
        None => (None, authority),
    };
    if let Some(bracket) = user_info.and_then(|text| text.chars().find(|c| matches!(c, '[' | ']'))) {
        return Err(Fault::Unencoded(bracket));
    }
    if let Some(letter) = authority.chars().find(|c| CONFUSABLE.contains(c)) {
        return Err(Fault::Confusable(letter));
    }
    if location.contains(['[', ']']) {
        bracketed(location)?;
    }
    Ok(((user_info, location), tail))
}

/// Reads what stands behind `scheme://`.
pub(super) fn parts(rest: &str) -> Result<Parts, Fault> {
    let ((user_info, location), tail) = authority(rest)?;
    let (host, port) = host_and_port(location).map_err(|fault| unencoded(tail).unwrap_or(fault))?;
    let tail = tail.split('#').next().unwrap_or_default();
    let (path, query) = tail.split_once('?').unwrap_or((tail, ""));
    let (username, password) = credentials(user_info);
    Ok(Parts {
        host,
        port,
        username,
        password,
        path: decoded(path.strip_prefix('/').unwrap_or(path)),
        query: parameters(query),
    })
}

/// The character of an unencoded password that has ended the authority without a trace: what remains reads as a URL,
/// but its host is a part of the password.
pub(super) fn swallowing(rest: &str) -> Option<char> {
    let (authority, tail) = rest.split_at(rest.find(['/', '?', '#'])?);
    // What was meant as a password goes on behind the "#".
    if tail.split_once('#').is_some_and(|(_, fragment)| fragment.contains('@')) {
        return Some('#');
    }
    // Without a user in front of it, an "@host" further on means that the authority ended too early.
    let first = tail.chars().next();
    first.filter(|_| !authority.contains('@') && names_a_host(path_of(tail)))
}

/// Whether a path goes on with `@host:port` or `@host/`; a virtual host may hold an "@" of its own.
fn names_a_host(path: &str) -> bool {
    path.rsplit_once('@').is_some_and(|(_, after)| after.contains([':', '/']))
}

/// What stands before the query.
fn path_of(tail: &str) -> &str {
    tail.split('?').next().unwrap_or_default()
}

/// The character of an unencoded password that has probably ended the authority of this URL. Python takes what stands
/// before it for the host and what follows for a path or a query, both of which may hold an `@`: nobody can be sure.
pub(crate) fn doubtful(url: &str) -> Option<char> {
    let (_, rest) = url.split_once("://")?;
    let (authority, tail) = rest.split_at(rest.find(['/', '?'])?);
    let (before, after) = tail.rsplit_once('@')?;
    let is_name = |c: char| c.is_ascii_alphanumeric() || ".-_".contains(c);
    let end = after.find(|c| !is_name(c)).filter(|end| *end > 0)?;
    let has_port =
        after[end..].strip_prefix(':').is_some_and(|port| port.starts_with(|c: char| c.is_ascii_digit()));
    // A folder in a parameter may be named so, a host with its port may not.
    let names_a_host = has_port || (after[end..].starts_with('/') && !before.contains('='));
    tail.chars().next().filter(|_| authority.contains('@') && names_a_host)
}

/// Whether a part of a URL that is no user information may be one of a password: an `@` follows it.
pub(crate) fn may_hide(url: &str) -> bool {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    rest.find(['/', '?', '#']).is_some_and(|end| rest[end..].contains('@'))
}

fn host_and_port(location: &str) -> Result<(String, Option<u16>), Fault> {
    if !location.contains(['[', ']']) {
        let (host, port) = location.split_once(':').unwrap_or((location, ""));
        return Ok((decoded(&lowered(host)), port_number(port)?));
    }
    let (host, after) = bracketed(location)?;
    let port = port_number(after.strip_prefix(':').unwrap_or(after))?;
    Ok((decoded(&lowered(host)), port))
}

/// The address between brackets, and the port behind them with its colon.
fn bracketed(location: &str) -> Result<(&str, &str), Fault> {
    let (host, after) =
        location.strip_prefix('[').and_then(|rest| rest.split_once(']')).ok_or(Fault::Brackets)?;
    let (address, zone) = host.split_once('%').map_or((host, None), |(address, zone)| (address, Some(zone)));
    let named = zone.is_none_or(|zone| !zone.is_empty() && !zone.contains('%'));
    let clean = !after.contains(['[', ']']) && (after.is_empty() || after.starts_with(':'));
    if address.parse::<Ipv6Addr>().is_err() || !named || !clean {
        return Err(Fault::Brackets);
    }
    Ok((host, after))
}

fn port_number(text: &str) -> Result<Option<u16>, Fault> {
    if text.is_empty() {
        return Ok(None);
    }
    let digits = text.bytes().all(|b| b.is_ascii_digit());
    let number = text.trim_start_matches('0').parse::<u16>().ok();
    number.filter(|_| digits).map(Some).ok_or(Fault::Port)
}

/// Python lowers a host up to its first "%", where the zone of an address begins.
fn lowered(host: &str) -> String {
    let (name, zone) = host.split_at(host.find('%').unwrap_or(host.len()));
    name.to_lowercase() + zone
}

/// Whether the port is wrong only because an unencoded character of the password ended the host part: then an `@`
/// still follows.
fn unencoded(tail: &str) -> Option<Fault> {
    let first = tail.chars().next()?;
    tail.contains('@').then_some(Fault::Unencoded(first))
}

/// User and password before the last `@`.
pub(super) fn credentials(user_info: Option<&str>) -> (Option<String>, Option<String>) {
    let Some(user_info) = user_info else {
        return (None, None);
    };
    let (user, password) = match user_info.split_once(':') {
        Some((user, password)) => (user, Some(decoded(password))),
        None => (user_info, None),
    };
    (Some(decoded(user)).filter(|user| !user.is_empty()), password.filter(|password| !password.is_empty()))
}

/// Percent-decoded; bytes that are no UTF-8 become U+FFFD, as in Python.
pub(super) fn decoded(text: &str) -> String {
    percent_decode_str(text).decode_utf8_lossy().into_owned()
}

/// The parameters of a query: those without a value do not exist for Python, "+" is a blank.
pub(super) fn parameters(query: &str) -> Vec<(String, String)> {
    let mut found: Vec<(String, String)> = Vec::new();
    for pair in query.split('&') {
        let Some((name, value)) = pair.split_once('=').filter(|(_, value)| !value.is_empty()) else {
            continue;
        };
        let (name, value) = (decoded(&name.replace('+', " ")), decoded(&value.replace('+', " ")));
        match found.iter_mut().find(|(known, _)| *known == name) {
            Some(known) => known.1 = value,
            None => found.push((name, value)),
        }
    }
    found
}

/// The file of a URL of `SQLite`, from `sqlite:` on, as `SQLAlchemy` finds it: empty for one that is kept in memory,
/// without a slash before it for one in the folder that the process stands in. `None` for other URLs.
#[must_use]
pub fn sqlite_file(url: &str) -> Option<&str> {
    let (scheme, rest) = url.split_once("://")?;
    let is_sqlite = scheme.split('+').next() == Some("sqlite") && (rest.is_empty() || rest.starts_with('/'));
    let path = rest.strip_prefix('/').unwrap_or(rest);
    let file = path.split('?').next().unwrap_or_default();
    is_sqlite.then_some(if file == ":memory:" { "" } else { file })
}

/// A URL without the line break at its end, which a block of YAML has. Python takes it away where it reads the parts of a
/// URL, so not for schemes whose text goes to somebody else as it is.
#[must_use]
pub fn line(url: &str) -> &str {
    const READ: [&str; 7] = ["redis", "rediss", "sentinel", "amqp", "amqps", "pyamqp", "rpc"];
    let scheme = url.split_once("://").map(|(scheme, _)| scheme.to_ascii_lowercase());
    let is_read = scheme.is_some_and(|scheme| READ.contains(&scheme.as_str()));
    if is_read { url.trim_end_matches(['\n', '\r']) } else { url }
}

/// Whether a host is the machine itself: in a pod, the pod.
#[must_use]
pub fn is_local(host: &str) -> bool {
    matches!(host, "localhost" | "::1") || host.starts_with("127.")
}
