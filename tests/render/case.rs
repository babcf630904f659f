// SPDX-License-Identifier: Apache-2.0
//! A case: what was read from the cluster, and what is made of it.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::PathBuf;

use celery_operator::build::{self, Capabilities, Children};
use celery_operator::defaults::{self, Moment};
use celery_operator::resolve::{self, SecretData, Sources};
use serde_json::Value;

/// Where the cases are.
pub(crate) const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/golden");
/// First line of a case without KEDA.
const NO_KEDA: &str = "# keda: false";
/// First line of a case without the Prometheus operator.
const NO_MONITORS: &str = "# monitors: false";

/// One file of the folder.
pub(crate) struct Case {
    /// Name of the file without its ending.
    pub(crate) name: String,
    /// The Celery as it was applied.
    pub(crate) object: Value,
    /// The Secrets of the namespace.
    pub(crate) secrets: Vec<Value>,
    keda: bool,
    monitors: bool,
}

/// Every case, by name.
pub(crate) fn cases() -> Vec<Case> {
    let names = fs::read_dir(FOLDER).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let mut names: Vec<String> = names
        .filter_map(|file| file.strip_suffix(".yaml").map(str::to_owned))
        .filter(|name| !name.ends_with(".children"))
        .collect();
    names.sort();
    names.into_iter().map(Case::read).collect()
}

impl Case {
    fn read(name: String) -> Self {
        let text = fs::read_to_string(format!("{FOLDER}/{name}.yaml")).unwrap();
        let documents: Vec<Value> =
            serde_saphyr::from_multiple(&text).unwrap_or_else(|error| panic!("{name}: {error}"));
        let (mut celeries, secrets): (Vec<Value>, Vec<Value>) =
            documents.into_iter().partition(|document| document["kind"] == "Celery");
        assert_eq!(celeries.len(), 1, "{name}: one Celery is a case");
        assert!(
            secrets.iter().all(|document| document["kind"] == "Secret"),
            "{name}: only Secrets can stand beside it"
        );
        let first = text.lines().next();
        Self {
            object: celeries.remove(0),
            secrets,
            keda: first != Some(NO_KEDA),
            monitors: first != Some(NO_MONITORS),
            name,
        }
    }

    /// Where the expected children are.
    pub(crate) fn golden(&self) -> PathBuf {
        PathBuf::from(format!("{FOLDER}/{}.children.yaml", self.name))
    }

    /// The object as it is stored.
    pub(crate) fn defaulted(&self) -> Value {
        let additions = defaults::absent(&self.object, Moment::Creation);
        defaults::defaulted(self.object.clone(), &additions)
    }

    /// What exists for it.
    pub(crate) fn children(&self) -> Children {
        let celery =
            serde_json::from_value(self.defaulted()).unwrap_or_else(|error| panic!("{}: {error}", self.name));
        let resolved = resolve::resolved(&celery, &self.sources(&celery));
        build::children(&resolved, Capabilities { keda: self.keda, monitors: self.monitors })
    }

    /// The children as a file: manifests in the order in which they are applied, then what stays as it is.
    pub(crate) fn rendered(&self) -> String {
        let children = self.children();
        let documents: Vec<String> = children
            .manifests
            .iter()
            .map(|manifest| serde_saphyr::to_string(&manifest.body).unwrap())
            .collect();
        let mut text = documents.join("---\n");
        for (kind, name) in &children.kept {
            writeln!(text, "# kept: {} {name}", kind.as_str()).unwrap();
        }
        text
    }

    /// The Secrets that the spec names, as a read of the namespace would find them.
    fn sources(&self, celery: &celery_operator::api::Celery) -> Sources {
        let found = |name: &str| {
            let secret = self.secrets.iter().find(|secret| secret["metadata"]["name"] == name)?;
            let data: BTreeMap<String, String> =
                serde_json::from_value(secret["stringData"].clone()).unwrap();
            Some::<SecretData>(data)
        };
        let named = resolve::secrets(&celery.spec);
        Sources {
            secrets: named
                .into_iter()
                .map(|name| {
                    let data = found(&name);
                    (name, data)
                })
                .collect(),
        }
    }
}
