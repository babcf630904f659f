// SPDX-License-Identifier: Apache-2.0
//! Volumes that keep something: a claim that is there, or one that the operator makes. Flower and beat have one each.

use k8s_openapi::apimachinery::pkg::api::resource::Quantity;
use kube_quantity::ParsedQuantity;

use super::finding::{Kind, Report, Severity};
use crate::api::amount::number;
use crate::api::is_object_name;

/// Below this many bytes there is no file system to keep anything on.
const LEAST: f64 = 1024.0 * 1024.0;

/// A claim as a user writes it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Claim<'a> {
    /// Name of a claim that is there.
    pub(super) existing: Option<&'a str>,
    /// Size of a new one.
    pub(super) size: Option<&'a Quantity>,
    /// Storage class of a new one.
    pub(super) storage_class: Option<&'a str>,
    /// Whether the new one outlives the Celery.
    pub(super) retain: Option<bool>,
}

impl Claim<'_> {
    /// Reports, below `path`, what keeps the volume from being there, and what has no effect.
    pub(super) fn judge(&self, path: &str, report: &mut Report<'_>) {
        let Some(name) = self.existing else { return self.judge_size(path, report) };
        if self.size.is_some() {
            let message = "existingClaim and size exclude each other";
            return report.add(Kind::Forbidden, path, message, "keep one");
        }
        if !is_object_name(name) {
            let message = "is not a name of a PersistentVolumeClaim";
            report.add(
                Kind::Invalid,
                format!("{path}.existingClaim"),
                message,
                "use its name, of lower-case letters, digits, '-' and '.'",
            );
        }
        for (field, is_set) in
            [("storageClass", self.storage_class.is_some()), ("retain", self.retain.is_some())]
        {
            if is_set {
                let message = "has no effect on an existing claim";
                report.graded(
                    Severity::Warn,
                    Kind::Forbidden,
                    format!("{path}.{field}"),
                    message,
                    "remove it",
                );
            }
        }
    }

    fn judge_size(&self, path: &str, report: &mut Report<'_>) {
        let Some(size) = self.size else { return };
        let zero = ParsedQuantity::try_from("0");
        let is_size = matches!((ParsedQuantity::try_from(size), zero), (Ok(size), Ok(zero)) if size > zero);
        if !is_size {
            report.add(Kind::Invalid, format!("{path}.size"), "is not a size", "use one such as 1Gi");
        } else if number(&size.0).is_some_and(|bytes| bytes < LEAST) {
            let digits = size.0.trim().parse::<u32>();
            let fix = digits.map_or_else(
                |_| "use one such as 1Gi".to_owned(),
                |digits| format!("did you mean {digits}Gi?"),
            );
            report.warn(Kind::Invalid, format!("{path}.size"), "is less than a file system needs", fix);
        }
    }
}

/// Whether a volume can appear at a folder: the API server takes any text, container runtimes do not.
pub(super) fn is_mountable(folder: &str) -> bool {
    folder.starts_with('/') && !folder.trim_matches('/').is_empty() && !folder.contains(':')
}

/// Whether a file lies on what is mounted at a folder.
pub(super) fn holds(mount: &str, file: &str) -> bool {
    let mount = mount.trim_end_matches('/');
    file.strip_prefix(mount).is_some_and(|rest| rest.starts_with('/'))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::tests::findings;

    #[test]
    fn a_size_without_a_unit_is_told_with_one() {
        for (place, id) in
            [("beatSpec: {", "T15"), ("flowerSpec: {auth: {allowUnauthenticated: true}, ", "F38")]
        {
            let told = |size: &str| {
                let found = findings(&format!("spec: {{{place}persistence: {{size: {size}}}}}}}"));
                found.into_iter().map(|it| (it.rule, it.fix)).collect::<Vec<_>>()
            };
            assert_eq!(told("'5'"), [(id, "did you mean 5Gi?".to_owned())]);
            assert_eq!(told("5k"), [(id, "use one such as 1Gi".to_owned())]);
            assert_eq!(told("5Gi"), []);
        }
    }

    #[test]
    fn folders_hold_what_lies_below_them() {
        assert!(holds("/data", "/data/flower") && holds("/data/", "/data/a/flower"));
        assert!(!holds("/data", "/database/flower") && !holds("/data/flower", "/data/flower"));
    }

    #[test]
    fn volumes_appear_at_absolute_folders_only() {
        assert!(is_mountable("/data/flower"));
        for folder in ["", "/", "//", "data", "./data", "/a:b"] {
            assert!(!is_mountable(folder), "{folder}");
        }
    }
}
