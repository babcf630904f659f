// SPDX-License-Identifier: Apache-2.0
//! The text by which Flower knows the accounts that may look at it: addresses, or one pattern for those of a domain.

use crate::celery::expansion::expands;

/// What is wrong with an address among others, letter by letter as Flower compares it.
pub(super) fn odd_address(pattern: &str) -> Option<(&'static str, &'static str)> {
    let by_bars = "write a|b, with addresses alone around the |";
    if expands(pattern) {
        return None;
    }
    if pattern.contains('|') && pattern.split('|').any(str::is_empty) {
        return Some(("has an extra |, which lets an account without an address in", by_bars));
    }
    if pattern.contains(',') {
        return Some(("has a comma, which no address has", by_bars));
    }
    if pattern.contains(char::is_whitespace) {
        return Some(("has a space, which no address has", "write it without spaces"));
    }
    let is_expression = |address: &str| {
        let (local, domain) = address.rsplit_once('@').unwrap_or((address, ""));
        local.ends_with(".+") || domain.contains('+')
    };
    pattern.split('|').any(is_expression).then_some((
        "is a regular expression, of which Flower reads \".*\" alone",
        "use addresses, or a single \".*@example.com\"",
    ))
}

/// What a text is that is no address at all: a domain alone, a name alone; and what to write. Flower 1.2, 2.0 and 2.2 let
/// nobody in by `@acme.com`: they compare it with whole addresses.
/// `is_alone` says that it is the only one, which may be shown and be replaced by a pattern.
pub(super) fn no_address(pattern: &str, is_alone: bool) -> Option<(&'static str, String)> {
    if pattern.is_empty() || expands(pattern) {
        return None;
    }
    let halves = |address: &str| {
        let (name, domain) = address.rsplit_once('@').unwrap_or_default();
        (!name.is_empty(), !domain.is_empty())
    };
    let odd = pattern.split('|').find(|address| halves(address) != (true, true))?;
    let is_domain = halves(odd) == (false, true) && !odd.contains(['*', '"']);
    let fix = if is_domain && is_alone && pattern == odd {
        format!("did you mean \".*{odd}\"?")
    } else {
        "use addresses, or a single \".*@example.com\"".to_owned()
    };
    Some((if is_domain { "is a domain, and no address" } else { "is not an address" }, fix))
}

/// What is wrong with a pattern of addresses; `None` when Flower takes it and somebody can match it.
pub(super) fn misfit(pattern: &str) -> Option<&'static str> {
    // Measured with Flower 1.2, 2.0 and 2.2: whatever is not ".*" is compared letter by letter.
    if !expands(pattern) {
        if pattern.contains('\\') {
            return Some("has a backslash, which Flower takes for a letter of the address");
        }
        let anchored = pattern.starts_with('^') || pattern.ends_with('$');
        if anchored || pattern.contains(['(', ')', '[', ']']) || pattern.starts_with(".+") {
            return Some("is a regular expression, of which Flower reads \".*\" alone");
        }
    }
    let stars = pattern.matches('*').count();
    let domain = pattern.rsplit('@').next().unwrap_or_default();
    match stars {
        1 if pattern.contains('|') => Some("mixes a pattern with other addresses"),
        1 if domain.contains('*') => Some("has a \"*\" that does not stand before the \"@\""),
        1 if !pattern.contains(".*") => {
            Some("has a \"*\" without a dot before it, which nobody's address has")
        }
        0 | 1 => None,
        _ => Some("has more than one \"*\""),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_compared_letter_by_letter() {
        for pattern in ["me@example.com", ".*@example.com", "a+b@example.com", "a@b|c@d", "$(A)|", "me"] {
            assert_eq!(odd_address(pattern), None, "{pattern}");
        }
        for pattern in ["a@b|", "|a@b", "a@b||c@d", "a@b,c@d", ".*@b ", "a.+@b", "a@.+", "a@b|c.+@d"] {
            assert!(odd_address(pattern).is_some(), "{pattern}");
        }
        let fix = |pattern, is_alone| no_address(pattern, is_alone).map(|(_, fix)| fix);
        let general = Some("use addresses, or a single \".*@example.com\"".to_owned());
        for pattern in ["example.com", "a@b|me", "a@", "@", ".*@", "a@b|@c"] {
            assert_eq!(fix(pattern, true), general, "{pattern}");
        }
        assert_eq!(fix("@acme.com", true).as_deref(), Some("did you mean \".*@acme.com\"?"));
        assert_eq!(fix("@acme.com", false), general);
        for pattern in ["a@b|c@d", "$(A)", ".*@b", "a@b", ""] {
            assert_eq!(fix(pattern, true), None, "{pattern}");
        }
    }

    #[test]
    fn patterns_that_flower_takes_and_that_match() {
        for pattern in [
            "me@example.com",
            ".*@example.com",
            "a@example.com|b@example.com",
            "team-.*@example.com",
            "a+b@example.com",
            "$(ADDRESS)",
            "a^b$c@example.com",
        ] {
            assert_eq!(misfit(pattern), None, "{pattern}");
        }
        for pattern in [
            ".*@.*",
            ".*",
            "a@.*",
            ".*@example.com|b@example.com",
            "*@example.com",
            ".*.*@example.com",
            r".*@example\.com",
            r"a@example\.com|b@example.com",
            "team-[0-9]@example.com",
            "(a|b)@example.com",
            "^a@example.com",
            "a@example.com$",
            ".+@example.com",
        ] {
            assert!(misfit(pattern).is_some(), "{pattern}");
        }
    }
}
