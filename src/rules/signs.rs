// SPDX-License-Identifier: Apache-2.0
//! Which texts are credentials that can be read: by the name that stands beside them, or by their form.

use crate::celery::expansion::expands;

/// Names of things that are no secret although they are named like one.
const HARMLESS: [&str; 11] = [
    "_FILE",
    "_PATH",
    "_DIR",
    "_NAME",
    "_URL",
    "_ARN",
    "_EXPIRY",
    "_EXPIRES",
    "_TTL",
    "_TIMEOUT",
    "_LIFETIME",
];

/// The variable that Flower reads users and their passwords from.
const FLOWER_USERS: &str = "FLOWER_BASIC_AUTH";

/// What separates the words of a script.
const SEPARATORS: &[char] = &[';', '&', '|', '(', ')', '<', '>'];

/// Whether a text is what it says: neither nothing, nor a word for yes or no, nor a variable.
pub(super) fn is_readable(text: &str) -> bool {
    !text.is_empty() && !["true", "false"].contains(&text.to_lowercase().as_str()) && !expands(text)
}

/// How the names of keys end, without their underscores: those of Azure stand in strings that are no URLs.
const KEYS: [&str; 5] = ["ACCOUNTKEY", "ACCESSKEY", "ACCESSSIGNATURE", "APIKEY", "PRIVATEKEY"];

/// Whether something of this name is usually a secret.
pub(super) fn is_secret(name: &str) -> bool {
    let name = name.to_uppercase().replace('-', "_");
    let plain = name.replace('_', "");
    let is_key = KEYS.iter().any(|ending| plain.ends_with(ending)) || plain == "SIG";
    let is_named = ["PASSWORD", "PASSWD", "SECRET", "TOKEN"].iter().any(|word| name.contains(word));
    (is_named || is_key) && !HARMLESS.iter().any(|ending| name.ends_with(ending))
}

/// Whether the value of a variable is a credential that can be read.
pub(super) fn is_credential(name: &str, value: &str) -> bool {
    has_password(value)
        || is_readable(value) && (is_secret(name) || name == FLOWER_USERS && lists_users(value))
}

/// Whether a text is `user:password`, or several of them. What is not, Flower refuses, and a rule of its own tells.
pub(super) fn lists_users(text: &str) -> bool {
    text.split(',').all(|user| user.contains(':'))
}

/// The variable that a password means which is written as a shell or Python would expand it: `${NAME}`, `$NAME`,
/// `%(NAME)s`. One without braces may be a password after all, unless its letters are those of variables.
pub(super) fn placeholder(password: &str) -> Option<&str> {
    let inside = |begin: &str, end: &str| password.strip_prefix(begin)?.strip_suffix(end);
    let bare = || password.strip_prefix('$').filter(|name| !name.contains(|c: char| c.is_ascii_lowercase()));
    let name = inside("${", "}").or_else(|| inside("%(", ")s")).or_else(bare)?;
    let is_variable = name.starts_with(|first: char| first.is_ascii_alphabetic() || first == '_')
        && name.chars().all(|letter| letter.is_ascii_alphanumeric() || letter == '_');
    is_variable.then_some(name)
}

/// Whether a text holds a URL with a password in it that is no variable, or a connection string of Azure with its key.
pub(super) fn has_password(text: &str) -> bool {
    let mut all = passwords(text).chain(keys(text));
    all.any(|password| !password.is_empty() && !expands(password))
}

/// The keys in connection strings of Azure: `…;AccountKey=…;…`.
pub(super) fn keys(text: &str) -> impl Iterator<Item = &str> {
    text.split([';', '/', '"', '\'']).filter_map(|part| {
        let (name, key) = part.split_once('=')?;
        ["accountkey", "sharedaccesskey"].contains(&name.trim().to_lowercase().as_str()).then_some(key)
    })
}

/// The passwords of the URLs in a text.
pub(super) fn passwords(text: &str) -> impl Iterator<Item = &str> {
    text.split("://").skip(1).filter_map(|rest| {
        let authority = rest.split(['/', '?', '#', ' ', ',', ';']).next().unwrap_or_default();
        let (user_info, _) = authority.rsplit_once('@')?;
        user_info.split_once(':').map(|(_, password)| password)
    })
}

/// Whether a word of a command holds a credential. A shell may read it, so that what it would put in is none.
pub(super) fn holds_one(word: &str) -> bool {
    holds_url(word) || names_one(word)
}

/// The same for a URL alone.
pub(super) fn holds_url(word: &str) -> bool {
    passwords(word).any(|password| !password.is_empty() && is_literal(password))
}

/// Whether a word or a script gives something that is named like a secret a value: `--password=x`, `TOKEN=x`.
pub(super) fn names_one(word: &str) -> bool {
    let parts = word.split(|letter: char| letter.is_whitespace() || SEPARATORS.contains(&letter));
    parts.filter_map(|part| part.split_once('=')).any(|(name, value)| {
        let value = value.trim_matches(['"', '\'']);
        is_name(name.trim_start_matches('-')) && is_secret(name) && is_literal(value) && is_readable(value)
    })
}

/// Whether a text may give something that is named like a secret a value, be it in the words of a shell, of YAML or of
/// JSON: `PASSWORD: x`, `--password x`, `"token": "x"`. A text is hidden for less than it is refused for.
pub(super) fn hints_at_one(text: &str) -> bool {
    let is_name = |letter: char| letter.is_ascii_alphanumeric() || "-_.".contains(letter);
    let mut rest = text;
    while let Some(begin) = rest.find(is_name) {
        let end = rest[begin..].find(|letter| !is_name(letter)).map_or(rest.len(), |end| begin + end);
        let (name, behind) = (&rest[begin..end], &rest[end..]);
        rest = behind;
        let last = name.rsplit('.').next().unwrap_or_default();
        if is_secret(name) && is_secret(last) && is_value(name, behind) {
            return true;
        }
    }
    false
}

/// Whether a value that can be read stands behind a name.
fn is_value(name: &str, behind: &str) -> bool {
    let behind = behind.trim_start_matches(['"', '\'']);
    let value = match behind.trim_start().strip_prefix(['=', ':', '\u{ff1d}', '\u{ff1a}']) {
        Some(value) if !value.starts_with("//") => value,
        None if name.starts_with("--") && behind.starts_with(char::is_whitespace) => behind,
        _ => return false,
    };
    let value = value.trim_start_matches(|letter: char| letter.is_whitespace() || "\"'".contains(letter));
    // Base64 may begin like a path, and ends otherwise.
    let word = value.split(|letter: char| letter.is_whitespace() || "\"',}".contains(letter));
    let word = word.flat_map(|word| word.split(SEPARATORS)).next().unwrap_or_default();
    let is_path = word.starts_with('/') && !word.ends_with('=');
    // What is masked already is shown as that.
    let is_masked = word.starts_with("***");
    !value.is_empty() && !value.starts_with(['$', '`', '-']) && !is_path && !is_masked
}

/// Whether a word is an option whose value is a secret and stands behind it: `--password x`.
pub(super) fn announces_one(word: &str, next: &str) -> bool {
    let name = word.strip_prefix("--").filter(|name| is_name(name));
    let is_value = !next.starts_with('-') && !next.contains(char::is_whitespace);
    name.is_some_and(is_secret) && is_value && is_literal(next) && is_readable(next)
}

fn is_name(text: &str) -> bool {
    !text.is_empty() && text.chars().all(|letter| letter.is_ascii_alphanumeric() || "-_.".contains(letter))
}

/// Whether neither Kubernetes nor a shell puts anything in, and it is no place of a file.
fn is_literal(text: &str) -> bool {
    !text.contains(['$', '`']) && !text.starts_with(['/', '@'])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn credentials_in_words_of_commands_are_found() {
        for word in [
            "--password=hush",
            "--db.password=hush",
            "PGPASSWORD=hush",
            "export TOKEN='hush'; exec celery \"$@\"",
            "redis://:hush@cache",
            "curl -s http://u:hush@mq:15672/api && exec celery",
        ] {
            assert!(holds_one(word), "{word}");
        }
        for word in [
            "--password=$(PASSWORD)",
            "--password=",
            "--password",
            "--password-file=/run/secrets/x",
            "--token=/run/secrets/x",
            "export TOKEN=$(cat /run/token); exec celery \"$@\"",
            "TOKEN=\"${TOKEN}\" exec celery",
            "redis-cli -u redis://:$PASSWORD@cache ping",
            "redis://:${PASSWORD}@cache",
            "redis://cache",
            "--use-token=true",
            "echo a password = b",
        ] {
            assert!(!holds_one(word), "{word}");
        }
    }

    #[test]
    fn a_variable_begins_with_a_letter() {
        for (password, name) in [
            ("${_A9}", Some("_A9")),
            ("${a}", Some("a")),
            ("%(A)s", Some("A")),
            ("$A", Some("A")),
            ("${9A}", None),
            ("${A-B}", None),
            ("$a", None),
            ("hush", None),
        ] {
            assert_eq!(placeholder(password), name, "{password}");
        }
    }

    #[test]
    fn a_text_is_hidden_for_less_than_it_is_refused_for() {
        for text in [
            "app --password hush",
            "PASSWORD: hush,b",
            r#"{"db_password": "hush"}"#,
            "DefaultEndpointsProtocol=https;AccountName=shop;AccountKey=/ush==;EndpointSuffix=core.windows.net",
            "Endpoint=sb://shop.servicebus.windows.net/;SharedAccessKeyName=x;SharedAccessKey=hush=",
            "SharedAccessSignature=sv=2020&sig=hush",
            "env API_KEY=hush celery",
            "PASSWORD：hush",
            "spec.common.env[0][PASSWORD=hush]",
        ] {
            assert!(hints_at_one(text), "{text}");
        }
        for text in [
            "SharedAccessKeyName=x",
            "--password=$(PASSWORD)",
            "--token=/run/secrets/x",
            "--password --verbose",
            "shop.secrets.py:app",
            "token://shop",
            "spec.common.config.password",
            "password",
            "KEDA_REDIS_PASSWORD",
            "monkey=1",
            "",
        ] {
            assert!(!hints_at_one(text), "{text}");
        }
        assert!(is_secret("AccountKey") && is_secret("api-key") && is_secret("SharedAccessSignature"));
        assert!(!is_secret("AWS_ACCESS_KEY_ID") && !is_secret("SharedAccessKeyName") && !is_secret("key"));
    }

    #[test]
    fn a_value_may_stand_behind_its_option() {
        assert!(announces_one("--password", "hush"));
        for (word, next) in [
            ("--password", "--verbose"),
            ("--password", "$(PASSWORD)"),
            ("--password-file", "hush"),
            ("--verbose", "hush"),
            ("password", "hush"),
            ("--password", ""),
        ] {
            assert!(!announces_one(word, next), "{word} {next}");
        }
    }
}
