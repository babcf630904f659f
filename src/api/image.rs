// SPDX-License-Identifier: Apache-2.0
//! Image references as container runtimes read them.

use oci_spec::distribution::{ParseError, Reference};

use super::ImagePullPolicy;

/// Longest reference that is looked at: registries allow 255 characters for the name, 128 for a tag, and a digest.
const MAX: usize = 640;

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
    Reference::try_from(text).map(drop).map_err(|error| match error {
        _ if Reference::try_from(text.to_lowercase()).is_ok() => {
            "has capital letters in the repository name".to_owned()
        }
        ParseError::NameTooLong => "has a repository name of more than 255 characters".to_owned(),
        ParseError::DigestInvalidFormat | ParseError::DigestInvalidLength | ParseError::DigestUnsupported => {
            "has a digest that is not one of sha256, sha384, sha512 in its full length".to_owned()
        }
        _ => "is not a valid image reference".to_owned(),
    })
}

/// The pull policy that Kubernetes would choose: a tag that moves is pulled at every start.
#[must_use]
pub fn pull_policy(text: &str) -> ImagePullPolicy {
    match Reference::try_from(text) {
        Ok(reference) if reference.digest().is_none() && reference.tag() == Some("latest") => {
            ImagePullPolicy::Always
        }
        _ => ImagePullPolicy::IfNotPresent,
    }
}

/// Whether an image holds Flower alone, as `mher/flower` and its mirrors do: the application cannot be loaded there.
#[must_use]
pub fn is_flower(text: &str) -> bool {
    Reference::try_from(text)
        .is_ok_and(|reference| reference.repository().rsplit('/').next() == Some("flower"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_runtimes_pull_is_accepted() {
        for text in [
            "shop",
            "shop:1.2",
            "registry:5000/team/shop:1.2",
            "registry.example.com/team/shop_worker/a__b:v1",
            &format!("shop@sha256:{}", "a".repeat(64)),
            &format!("shop:1@sha256:{}", "a".repeat(64)),
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
            ("shop:", "not a valid"),
            ("https://shop", "not a valid"),
            ("shop@sha256:abc", "not a valid"),
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
}
