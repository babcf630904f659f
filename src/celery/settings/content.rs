// SPDX-License-Identifier: Apache-2.0
//! The forms in which messages travel. An application may register more of them than are known here.

use super::super::closest;

/// The serializers of kombu with their content types; `auth` comes with Celery's own signing.
const SERIALIZERS: [(&str, &str); 5] = [
    ("json", "application/json"),
    ("yaml", "application/x-yaml"),
    ("pickle", "application/x-python-serialize"),
    ("msgpack", "application/x-msgpack"),
    ("auth", "application/data"),
];
/// The compressions of kombu; some need a package.
const COMPRESSIONS: [&str; 10] =
    ["gzip", "zlib", "bzip2", "bzip", "lzma", "xz", "zstd", "zstandard", "brotli", "br"];

/// What people mean with a name that is none of kombu's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Unregistered {
    /// The nearest that is.
    pub meant: Option<&'static str>,
}

/// Whether a name is that of a serializer of kombu; `is_type` lets content types pass too.
#[must_use]
pub fn serializer(name: &str, is_type: bool) -> Option<Unregistered> {
    let is_known = SERIALIZERS.iter().any(|(known, content)| *known == name || is_type && *content == name);
    let is_known = is_known || is_type && name.contains('/');
    let names = SERIALIZERS.iter().map(|(known, _)| *known);
    (!is_known).then(|| Unregistered { meant: closest::of(&name.to_ascii_lowercase(), names) })
}

/// Whether a name is that of a compression of kombu.
#[must_use]
pub fn compression(name: &str) -> Option<Unregistered> {
    let is_known = name.is_empty() || name.contains('/') || COMPRESSIONS.contains(&name);
    (!is_known).then(|| Unregistered { meant: closest::of(name, COMPRESSIONS.iter().copied()) })
}

/// Whether a list of accepted names has a serializer in it, by its name or by its content type.
#[must_use]
pub fn accepts(accepted: &[&str], serializer: &str) -> bool {
    let of_type = SERIALIZERS.iter().find(|(known, _)| *known == serializer).map(|(_, content)| *content);
    accepted.iter().any(|name| *name == serializer || Some(*name) == of_type)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_kombu_are_known() {
        for name in ["json", "pickle", "auth"] {
            assert_eq!(serializer(name, false), None, "{name}");
        }
        assert_eq!(serializer("application/x-own", true), None);
        assert_eq!(serializer("jsno", false), Some(Unregistered { meant: Some("json") }));
        assert_eq!(serializer("JSON", false), Some(Unregistered { meant: Some("json") }));
        assert_eq!(serializer("own-format", false), Some(Unregistered { meant: None }));
        assert_eq!(compression("gzpi"), Some(Unregistered { meant: Some("gzip") }));
        assert_eq!(compression("application/x-gzip"), None);
    }

    #[test]
    fn a_content_type_accepts_its_serializer() {
        assert!(accepts(&["application/json"], "json"));
        assert!(accepts(&["own"], "own"));
        assert!(!accepts(&["pickle"], "json"));
    }
}
