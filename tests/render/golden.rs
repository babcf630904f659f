// SPDX-License-Identifier: Apache-2.0
//! The golden files as they lie there, for those who judge what is rendered.

use std::fs;

use serde_json::Value;

/// A case and what is made of it.
pub(crate) struct Golden {
    /// Name of the case.
    pub(crate) name: String,
    /// The Celery.
    pub(crate) celery: Value,
    /// Its children, in the order in which they are applied.
    pub(crate) children: Vec<Value>,
}

/// Every case, by name.
pub(crate) fn golden() -> Vec<Golden> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/golden");
    let files = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let mut names: Vec<String> =
        files.filter_map(|file| file.strip_suffix(".children.yaml").map(str::to_owned)).collect();
    names.sort();
    // Nobody is judged where nothing is found.
    assert!(names.len() >= 16, "{names:?}");
    let read = |file: String| -> Vec<Value> {
        let text = fs::read_to_string(format!("{folder}/{file}")).unwrap();
        serde_saphyr::from_multiple(&text).unwrap_or_else(|error| panic!("{file}: {error}"))
    };
    let case = |name: String| {
        let mut celeries = read(format!("{name}.yaml")).into_iter().filter(|it| it["kind"] == "Celery");
        let celery = celeries.next().unwrap();
        Golden { celery, children: read(format!("{name}.children.yaml")), name }
    };
    names.into_iter().map(case).collect()
}
