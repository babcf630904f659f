// SPDX-License-Identifier: Apache-2.0
//! Broker URLs as they may be shown.

/// The URL as it may be shown: user information and secret-like parameters are `***`.
///
/// Works on any text, also on what [`parse`] refuses: whatever stands before the last `@` counts as user information.
#[must_use]
pub fn masked(text: &str) -> String {
    let (head, rest) = match text.split_once("://") {
        Some((scheme, rest)) => (format!("{scheme}://"), rest),
        None => (String::new(), text),
    };
    if let Some((_, location)) = rest.rsplit_once('@') {
        return format!("{head}***@{}", masked_query(location));
    }
    let authority_end = rest.find(['/', '?', ';']).unwrap_or(rest.len());
    match rest[..authority_end].split_once(':') {
        // "user:password" with the host forgotten looks like this.
        Some((host, port)) if !port.bytes().all(|b| b.is_ascii_digit()) && !head.is_empty() => {
            format!("{head}{host}:***{}", masked_query(&rest[authority_end..]))
        }
        _ => format!("{head}{}", masked_query(rest)),
    }
}

/// Parameters whose values hold no secret and help to see what is wrong.
const SHOWN: [&str; 3] = ["ssl_cert_reqs", "ssl_ca_certs", "virtual_host"];

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
