// SPDX-License-Identifier: Apache-2.0
//! Image references as the kubelet reads them: the grammar of [distribution/reference], which it applies before any
//! runtime sees the text.
//!
//! Read by hand: as a regular expression this grammar takes 15 MiB to compile, 5 MiB to keep and as much again for
//! every thread that uses it.
//!
//! [distribution/reference]: https://github.com/distribution/reference/blob/main/reference.go

use super::ImagePullPolicy;

/// Longest reference that is looked at: registries allow 255 characters for the name, 128 for a tag, and a digest.
const MAX: usize = 640;
/// Longest name behind the registry.
const MAX_NAME: usize = 255;
/// Longest tag.
const MAX_TAG: usize = 128;
/// The digests that a runtime can check, with their number of hexadecimal digits.
const DIGESTS: &[(&str, usize)] = &[("sha256", 64), ("sha384", 96), ("sha512", 128)];

/// An image reference in its parts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Reference<'t> {
    /// What stands behind the registry.
    name: &'t str,
    tag: Option<&'t str>,
    digest: Option<&'t str>,
}

impl<'t> Reference<'t> {
    /// The parts of a text.
    ///
    /// # Errors
    /// What is wrong, as one sentence without the field's name and without the value.
    fn parse(text: &'t str) -> Result<Self, &'static str> {
        const NONE: &str = "is not a valid image reference";
        if text.contains("://") {
            return Err("begins with a scheme, and an image reference has none");
        }
        if text.len() == 64 && text.bytes().all(is_hex) {
            return Err("is 64 hexadecimal digits, which runtimes take for the id of an image");
        }
        let (registry, rest) = split_registry(text);
        let (rest, digest) = parted(rest, '@');
        let (name, tag) = parted(rest, ':');
        if name.bytes().any(|byte| byte.is_ascii_uppercase()) {
            return Err("has capital letters in the repository name");
        }
        let begins = before(registry, name).filter(|_| name.split('/').all(is_component)).ok_or(NONE)?;
        if begins + name.len() > MAX_NAME {
            return Err("has a repository name of more than 255 characters");
        }
        if !tag.is_none_or(is_tag) {
            return Err("has a tag that is none: up to 128 letters, digits, _, . and -, the first no . or -");
        }
        if !digest.is_none_or(is_digest) {
            return Err("has a digest that is not one of sha256, sha384, sha512 in its full length");
        }
        Ok(Self { name, tag, digest })
    }
}

/// The registry, where the part before the first slash can only be one, and the rest.
fn split_registry(text: &str) -> (Option<&str>, &str) {
    match text.split_once('/') {
        Some((first, rest))
            if first.contains(['.', ':'])
                || first == "localhost"
                || first.bytes().any(|byte| byte.is_ascii_uppercase()) =>
        {
            (Some(first), rest)
        }
        _ => (None, text),
    }
}

/// How many characters of a name stand before what is written behind the registry; none where there is no name.
fn before(registry: Option<&str>, name: &str) -> Option<usize> {
    match registry {
        None | Some("docker.io" | "index.docker.io") if !name.contains('/') => Some("library/".len()),
        // A host name with an underscore is none, and is taken for the first part of the name.
        Some(host) if !is_registry(host) => is_component(host).then_some(host.len() + 1),
        _ => Some(0),
    }
}

/// What stands before the first separator, and what behind it.
fn parted(text: &str, separator: char) -> (&str, Option<&str>) {
    text.split_once(separator).map_or((text, None), |(before, behind)| (before, Some(behind)))
}

/// A host name or an IPv6 address in brackets, with or without a port.
fn is_registry(text: &str) -> bool {
    let (host, port) = match text.rsplit_once(':') {
        Some((host, port)) if !port.ends_with(']') => (host, Some(port)),
        _ => (text, None),
    };
    let is_port = port.is_none_or(|port| !port.is_empty() && port.bytes().all(|byte| byte.is_ascii_digit()));
    let is_label = |label: &str| {
        let is_inner = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
        !label.is_empty() && !label.starts_with('-') && !label.ends_with('-') && label.bytes().all(is_inner)
    };
    let address = host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
    let is_host = address.map_or_else(
        || host.split('.').all(is_label),
        |address| !address.is_empty() && address.bytes().all(|byte| byte.is_ascii_hexdigit() || byte == b':'),
    );
    is_port && is_host
}

/// Small letters and digits, parted by one dot, one or two underscores, or hyphens.
fn is_component(text: &str) -> bool {
    let is_word = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    let bytes = text.as_bytes();
    bytes.first().is_some_and(|first| is_word(*first))
        && bytes.last().is_some_and(|last| is_word(*last))
        && bytes.split(|byte| is_word(*byte)).all(|between| {
            matches!(between, b"" | b"." | b"_" | b"__") || between.iter().all(|byte| *byte == b'-')
        })
}

fn is_tag(text: &str) -> bool {
    (1..=MAX_TAG).contains(&text.len())
        && !text.starts_with(['.', '-'])
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_.-".contains(&byte))
}

fn is_digest(text: &str) -> bool {
    DIGESTS.iter().any(|(algorithm, digits)| {
        let encoded = text.strip_prefix(algorithm).and_then(|rest| rest.strip_prefix(':'));
        encoded.is_some_and(|encoded| encoded.len() == *digits && encoded.bytes().all(is_hex))
    })
}

/// A hexadecimal digit as digests are written.
fn is_hex(byte: u8) -> bool {
    matches!(byte, b'0'..=b'9' | b'a'..=b'f')
}

/// What is wrong with an image reference, in words for the user; `Ok` when a runtime can pull it.
///
/// The API server itself accepts nearly any text here; the pod then waits for ever in `InvalidImageName`.
///
/// # Errors
/// One sentence without the field's name and without the value.
pub fn check(text: &str) -> Result<(), String> {
    if text.len() > MAX {
        return Err(format!("has more than {MAX} characters"));
    }
    if text.chars().any(char::is_whitespace) {
        return Err("contains white space".to_owned());
    }
    Reference::parse(text).map(drop).map_err(str::to_owned)
}

/// The pull policy that Kubernetes would choose: a tag that moves is pulled at every start.
#[must_use]
pub fn pull_policy(text: &str) -> ImagePullPolicy {
    match Reference::parse(text) {
        Ok(Reference { tag: None | Some("latest"), digest: None, .. }) => ImagePullPolicy::Always,
        _ => ImagePullPolicy::IfNotPresent,
    }
}

/// Whether an image holds Flower alone, as `mher/flower` and its mirrors do: the application cannot be loaded there.
#[must_use]
pub fn is_flower(text: &str) -> bool {
    Reference::parse(text).is_ok_and(|reference| reference.name.rsplit('/').next() == Some("flower"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use oci_spec::distribution::Reference as Peer;
    use proptest::prelude::*;

    #[test]
    fn what_runtimes_pull_is_accepted() {
        for text in [
            "shop",
            "shop:1.2",
            "registry:5000/team/shop:1.2",
            "registry.example.com/team/shop_worker/a__b:v1",
            &format!("shop@sha256:{}", "a".repeat(64)),
            &format!("shop:1@sha256:{}", "a".repeat(64)),
            &format!("shop@sha384:{}", "0".repeat(96)),
            &format!("shop@sha512:{}", "f".repeat(128)),
            &format!("shop:{}", "1".repeat(128)),
            &format!("registry.example.com/{}", "s".repeat(255)),
            &"a".repeat(63),
            &"s".repeat(247),
            &format!("team/{}", "s".repeat(250)),
            "a_b.c/shop",
            "localhost/shop",
            "Registry/shop",
            "[fd00::1]/shop",
            "[fd00::1]:5000/shop",
            "shop---worker.x_y__z:_1.-",
        ] {
            assert_eq!(check(text), Ok(()), "{text}");
        }
    }

    #[test]
    fn what_no_runtime_pulls_is_refused() {
        for (text, what) in [
            ("My/App", "capital letters"),
            ("a b", "white space"),
            (" shop", "white space"),
            ("", "not a valid"),
            ("/shop", "not a valid"),
            ("shop/", "not a valid"),
            ("a//b", "not a valid"),
            ("shop..x", "not a valid"),
            ("shop___x", "not a valid"),
            ("shop._x", "not a valid"),
            ("-shop", "not a valid"),
            ("registry:port/shop", "not a valid"),
            ("registry.example.com:/shop", "not a valid"),
            ("-a.example.com/shop", "not a valid"),
            ("[::1]:5000]/shop", "not a valid"),
            ("[]/shop", "not a valid"),
            ("caf\u{e9}", "not a valid"),
            ("Shop", "capital letters"),
            ("registry.example.com/Shop:1", "capital letters"),
            ("shop:", "a tag"),
            ("shop:.1", "a tag"),
            ("shop:-1", "a tag"),
            ("shop:1:2", "a tag"),
            ("https://shop", "a scheme"),
            ("shop@sha256:abc", "a digest"),
            ("shop@sha256:", "a digest"),
            (&format!("shop@sha256:{}", "A".repeat(64)), "a digest"),
            (&format!("shop@sha384:{}", "a".repeat(64)), "a digest"),
            (&format!("shop@md5:{}", "a".repeat(32)), "a digest"),
            (&format!("shop@sha256:{}:1", "a".repeat(64)), "a digest"),
            (&"a".repeat(64), "64 hexadecimal"),
            (&"s".repeat(248), "more than 255"),
            (&format!("a_b.c/{}", "s".repeat(250)), "more than 255"),
            (&format!("registry.example.com/{}", "s".repeat(256)), "more than 255"),
            (&"s".repeat(641), "more than 640"),
            (&format!("shop:{}", "1".repeat(129)), "a tag"),
        ] {
            let error = check(text).expect_err(text);
            assert!(error.contains(what), "{text}: {error}");
        }
    }

    #[test]
    fn images_of_flower_alone_are_told_by_their_name() {
        for text in ["mher/flower", "mher/flower:2.0", "registry:5000/mirror/mher/flower@sha256:", "flower"] {
            let text = text.replace("sha256:", &format!("sha256:{}", "a".repeat(64)));
            assert!(is_flower(&text), "{text}");
        }
        for text in ["shop", "shop/flower-app:1", "flower/shop", "a b"] {
            assert!(!is_flower(text), "{text}");
        }
    }

    #[test]
    fn moving_tags_are_pulled_at_every_start() {
        assert_eq!(pull_policy("shop"), ImagePullPolicy::Always);
        assert_eq!(pull_policy("shop:latest"), ImagePullPolicy::Always);
        assert_eq!(pull_policy("shop:1.2"), ImagePullPolicy::IfNotPresent);
        assert_eq!(pull_policy(&format!("shop@sha256:{}", "a".repeat(64))), ImagePullPolicy::IfNotPresent);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(4096))]

        /// Two readers of one grammar. The other one takes what the kubelet refuses in two places: digests in capital
        /// letters, and 64 hexadecimal digits alone; and it knows no IPv6 addresses.
        #[test]
        fn another_reader_of_the_same_grammar_agrees(
            text in "([a-zA-Z]{1,3}[.:/]?[0-9-]{0,3}/)?[a-z0-9._/-]{0,8}(:[a-zA-Z0-9_.-]{0,4})?(@sha(256|384|1):[a-f0-9]{60,98})?"
        ) {
            prop_assert_eq!(check(&text).is_ok(), Peer::try_from(text.as_str()).is_ok(), "{}", text);
        }
    }
}
