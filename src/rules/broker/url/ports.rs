// SPDX-License-Identifier: Apache-2.0
//! What was meant by the part of a URL where a port should be.

use std::net::Ipv6Addr;

/// What to write instead of a URL whose port is none.
pub(super) fn instead(element: &str) -> String {
    let rest = element.split_once("://").map_or(element, |(_, rest)| rest);
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let location = authority.rsplit('@').next().unwrap_or_default();
    if location.contains(',') {
        return "separate URLs by \";\", each with its scheme".to_owned();
    }
    bracketed(location).map_or_else(
        || "use a port from 1 to 65535".to_owned(),
        |location| format!("write {location}, the address in brackets"),
    )
}

/// An address of IPv6 as a URL has it. Its last group may be the port, where it looks like one.
fn bracketed(location: &str) -> Option<String> {
    let whole = || location.parse::<Ipv6Addr>().ok().map(|_| format!("[{location}]"));
    let (address, port) = location.rsplit_once(':')?;
    let is_port = port.len() >= 4 && port.parse::<u16>().is_ok_and(|port| port > 0);
    let has_port = is_port && address.contains("::") && address.parse::<Ipv6Addr>().is_ok();
    if has_port { Some(format!("[{address}]:{port}")) } else { whole() }
}

#[cfg(test)]
mod tests {
    use super::instead;

    #[test]
    fn what_was_meant_is_written_out() {
        for (url, fix) in [
            ("redis://a:6379,b:6379/0", "separate URLs by \";\", each with its scheme"),
            ("redis://fd00::17:6379/0", "write [fd00::17]:6379, the address in brackets"),
            ("redis://fd00::17/0", "write [fd00::17], the address in brackets"),
            ("amqp://a:p@fd00::17//", "write [fd00::17], the address in brackets"),
            ("redis://cache:99999/0", "use a port from 1 to 65535"),
            ("redis://cache:6379:6379/0", "use a port from 1 to 65535"),
        ] {
            assert_eq!(instead(url), fix, "{url}");
        }
    }
}
