// SPDX-License-Identifier: Apache-2.0
//! The grammars of texts in pods, as the API server has them.

use std::net::IpAddr;

use super::form::Text;
use crate::api::amount::number;
use crate::api::{is_label_value, is_object_name, is_qualified};

/// The letters of a name, and what all of them miss who think of the letters alone.
const LOWER: &str =
    "use lower-case letters, digits, '-' and '.', beginning and ending with a letter or digit";

pub(super) static OBJECT_NAME: Text = Text::new(is_object_name, "is not a valid name", LOWER);
pub(super) static CLAIM_NAME: Text =
    Text::new(is_object_name, "is not a name that a PersistentVolumeClaim can have", LOWER);
pub(super) static LABEL_NAME: Text =
    Text::new(is_label, "is not a valid name", "use at most 63 lower-case letters, digits and inner '-'");
pub(super) static KEY: Text = Text::new(is_key, "is not a key", "use letters, digits, '-', '_' and '.'");
pub(super) static LABEL_KEY: Text =
    Text::new(is_qualified, "the key is not one of a label", "use a key such as team or example.com/team");
pub(super) static LABEL_VALUE: Text = Text::new(
    is_label_value,
    "is not a value of a label",
    "use at most 63 letters, digits, '-', '_' and '.', beginning and ending with a letter or digit",
);
pub(super) static ANNOTATION_KEY: Text = Text::new(
    |key| is_qualified(&key.to_lowercase()),
    "the key is not one of an annotation",
    "use a key such as team or example.com/team",
);
/// Anything, as values of annotations are.
pub(super) static ANYTHING: Text = Text::new(|_| true, "", "");
/// A word or a value that a container is given: it ends at the first such byte.
pub(super) static WHOLE: Text = Text::new(
    |text| !text.contains('\0'),
    "holds a NUL byte, at which every program stops reading",
    "remove the byte",
)
.hidden();
pub(super) static VARIABLE: Text =
    Text::new(is_variable, "is not a name of a variable", "use letters, digits and '_', such as LOG_LEVEL");
pub(super) static PORT_NAME: Text = Text::new(
    is_port_name,
    "is not a name of a port",
    "use at most 15 lower-case letters, digits and '-', with a letter",
);
/// A path below a folder that somebody else chooses.
pub(super) static INNER_PATH: Text =
    Text::new(is_inner_path, "leaves its folder", "use a path below it, without '..'");
/// The same for files that kubelet writes.
pub(super) static FILE: Text = Text::new(
    |path| is_inner_path(path) && !path.starts_with(".."),
    "leaves its volume",
    "use a path below it that does not begin with '..'",
);
pub(super) static NO_PARENT: Text =
    Text::new(|path| !has_parent(path), "has '..' in it", "write the folder out");
pub(super) static ABSOLUTE: Text =
    Text::new(|path| path.starts_with('/'), "is not an absolute path", "begin it with '/'");
pub(super) static ADDRESS: Text =
    Text::new(|text| text.parse::<IpAddr>().is_ok(), "is not an IP address", "use one such as 10.0.0.10");
/// What an empty folder is made of, as kubelet knows it.
pub(super) static MEDIUM: Text =
    Text::new(is_medium, "is no medium that kubelet knows", "use Memory, or remove it for the node's disk");
pub(super) static SEARCH: Text =
    Text::new(is_search, "is not a domain", "use one such as shop.svc.cluster.local");

/// Lower-case letters, digits and inner dashes.
fn is_label(text: &str) -> bool {
    text.len() <= 63 && !text.contains('.') && is_object_name(text)
}

fn is_key(key: &str) -> bool {
    let letters = key.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._".contains(&byte));
    letters && (1..=253).contains(&key.len()) && key != "." && !key.starts_with("..")
}

fn is_variable(name: &str) -> bool {
    !name.is_empty() && name.bytes().all(|byte| (b' '..=b'~').contains(&byte) && byte != b'=')
}

pub(super) fn is_port_name(name: &str) -> bool {
    (1..=15).contains(&name.len())
        && is_label(name)
        && !name.contains("--")
        && name.bytes().any(|byte| byte.is_ascii_lowercase())
}

fn is_medium(word: &str) -> bool {
    let size = word.strip_prefix("HugePages-").map(number);
    ["", "Memory", "HugePages"].contains(&word) || size.flatten().is_some_and(|size| size > 0.0)
}

fn has_parent(path: &str) -> bool {
    path.split('/').any(|part| part == "..")
}

fn is_inner_path(path: &str) -> bool {
    !path.starts_with('/') && !has_parent(path)
}

fn is_search(domain: &str) -> bool {
    let domain = domain.strip_suffix('.').filter(|rest| !rest.is_empty()).unwrap_or(domain);
    domain == "." || is_object_name(&domain.replace('_', "-"))
}

/// The fields of a pod that a variable can have as its value, or a file of a volume.
pub(super) fn is_pod_field(path: &str, plain: &[&str]) -> bool {
    let subscript =
        |map: &str| path.strip_prefix(map).and_then(|rest| rest.strip_prefix("['")?.strip_suffix("']"));
    plain.contains(&path)
        || subscript("metadata.labels").is_some_and(is_qualified)
        || subscript("metadata.annotations").is_some_and(|key| is_qualified(&key.to_lowercase()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_read_as_the_api_server_reads_them() {
        for (text, good, bad) in [
            (&LABEL_KEY, &["a", "a.b/C_d", "9"][..], &["", "/a", "a/", "A/a", "a/b/c", "-a", "a b", "ä"][..]),
            (&LABEL_VALUE, &["", "a", "A_b.c"], &["-a", "a-", "a b", "a/b"]),
            (&ANNOTATION_KEY, &["A.b/c"], &["a b", ""]),
            (&KEY, &[".a", "a..b", "A_1"], &["", ".", "..", "..a", "a/b"]),
            (&VARIABLE, &["a b", "1", "A.b"], &["", "A=B", "a\tb", "Ä"]),
            (&PORT_NAME, &["http", "9a"], &["", "80", "a--b", "-a", "HTTP", "a234567890123456"]),
            (&INNER_PATH, &["a", "..a", "a/b"], &["/a", "..", "a/../b"]),
            (&FILE, &["a/..b"], &["..a", "../a", "/a"]),
            (&SEARCH, &["a.b", "a_b", "c.", "."], &["", "A b", "a..b"]),
            (&WHOLE, &["", "a b"], &["a\0b"]),
            (
                &MEDIUM,
                &["", "Memory", "HugePages", "HugePages-2Mi"],
                &["memory", "RAM", "HugePages-", "HugePages-big"],
            ),
        ] {
            for one in good {
                assert!((text.reads)(one), "{one:?} {}", text.not);
            }
            for one in bad {
                assert!(!(text.reads)(one), "{one:?} passes: {}", text.not);
            }
        }
    }
}
