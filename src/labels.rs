// SPDX-License-Identifier: Apache-2.0
//! Labels and annotations.

use std::collections::BTreeMap;
use std::fmt::Write as _;

/// Label: what the object is of, always `celery`.
pub const NAME: &str = "app.kubernetes.io/name";
/// Label: the Celery object.
pub const INSTANCE: &str = "app.kubernetes.io/instance";
/// Label: the part of it, one of [`Component`].
pub const COMPONENT: &str = "app.kubernetes.io/component";
/// Label: the application.
pub const PART_OF: &str = "app.kubernetes.io/part-of";
/// Label: who writes the object, [`MANAGED_BY`].
pub const MANAGER: &str = "app.kubernetes.io/managed-by";
/// Label of pods: the version of Celery, where the spec names it.
pub const VERSION: &str = "app.kubernetes.io/version";
/// Label: the worker pool.
pub const POOL: &str = "celeryproject.org/pool";

/// Value of `managed-by`; the operator watches only children that carry it.
pub const MANAGED_BY: &str = "celery-operator";
/// Selector of everything the operator manages.
pub const MANAGED_SELECTOR: &str = "app.kubernetes.io/managed-by=celery-operator";
/// Selector of everything that others manage.
pub const FOREIGN_SELECTOR: &str = "app.kubernetes.io/managed-by!=celery-operator";
/// Annotation of every child: a hash of what was rendered for it.
pub const RENDERED_HASH: &str = "celeryproject.org/rendered-hash";

/// Which part of a Celery an object belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Component {
    /// A worker pool.
    Worker,
    /// Flower.
    Flower,
    /// Beat.
    Beat,
}

impl Component {
    /// The label's value.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Worker => "worker",
            Self::Flower => "flower",
            Self::Beat => "beat",
        }
    }
}

/// The labels a Deployment selects its pods by: they can never change.
#[must_use]
pub fn selector(instance: &str, component: Component, pool: Option<&str>) -> BTreeMap<String, String> {
    let mut labels = BTreeMap::from([
        (NAME.to_owned(), "celery".to_owned()),
        (INSTANCE.to_owned(), instance.to_owned()),
        (COMPONENT.to_owned(), component.as_str().to_owned()),
    ]);
    if let Some(pool) = pool {
        labels.insert(POOL.to_owned(), pool.to_owned());
    }
    labels
}

/// The labels of every child.
#[must_use]
pub fn child(
    instance: &str,
    app: &str,
    component: Option<Component>,
    pool: Option<&str>,
) -> BTreeMap<String, String> {
    let mut labels = BTreeMap::from([
        (NAME.to_owned(), "celery".to_owned()),
        (INSTANCE.to_owned(), instance.to_owned()),
        (PART_OF.to_owned(), app.to_owned()),
        (MANAGER.to_owned(), MANAGED_BY.to_owned()),
    ]);
    if let Some(component) = component {
        labels.insert(COMPONENT.to_owned(), component.as_str().to_owned());
    }
    if let Some(pool) = pool {
        labels.insert(POOL.to_owned(), pool.to_owned());
    }
    labels
}

/// Labels as a selector string: `a=b,c=d`.
#[must_use]
pub fn selector_text(labels: &BTreeMap<String, String>) -> String {
    let mut text = String::new();
    for (key, value) in labels {
        let comma = if text.is_empty() { "" } else { "," };
        let _ = write!(text, "{comma}{key}={value}");
    }
    text
}
