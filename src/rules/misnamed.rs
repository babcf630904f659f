// SPDX-License-Identifier: Apache-2.0
//! Fields of volumes under names that people write for them: the Secret of a volume is a `secretName`, that of an
//! environment a `name`.

use super::path;

/// Names that people write for a field of a volume: where, the name, and the field.
const MISNAMED: &[(&str, &str, &str)] = &[
    (".volumes[].secret", "name", "secretName"),
    (".volumes[].configMap", "configMapName", "name"),
    (".volumes[].configMap", "secretName", "name"),
    (".volumes[].persistentVolumeClaim", "name", "claimName"),
    (".volumeMounts[]", "path", "mountPath"),
    (".projected.sources[].secret", "secretName", "name"),
    (".projected.sources[].configMap", "configMapName", "name"),
];

/// The name that somebody wrote for a field of the object at a path; `has` says whether a name is there.
pub(super) fn written_for(path: &str, field: &str, has: impl Fn(&str) -> bool) -> Option<&'static str> {
    let place = path::pattern(path);
    let fits =
        |(at, written, meant): &&(&str, &str, &str)| *meant == field && place.ends_with(at) && has(written);
    MISNAMED.iter().find(fits).map(|(_, written, _)| *written)
}

/// The field that is meant by a name in the object of a volume at a path.
pub(super) fn meant_by(path: &str, name: &str) -> Option<&'static str> {
    let place = path::pattern(path);
    let fits = |(at, written, _): &&(&str, &str, &str)| *written == name && place.ends_with(at);
    MISNAMED.iter().find(fits).map(|(_, _, meant)| *meant)
}
