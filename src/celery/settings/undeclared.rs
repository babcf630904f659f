// SPDX-License-Identifier: Apache-2.0
//! Settings of Celery's own documentation that its table of settings leaves out.
//!
//! Its code reads them all the same, and with a cast before the value the command line takes any name. A release that
//! does not read one yet starts with it too; seen with 5.2 to 5.7.

use super::SettingKind;

const UNDECLARED: [(&str, SettingKind); 8] = [
    ("cassandra_secure_bundle_path", SettingKind::Text),
    ("dynamodb_endpoint_url", SettingKind::Text),
    ("firestore_project", SettingKind::Text),
    ("gcs_threadpool_maxsize", SettingKind::Whole),
    ("redis_backend_credential_provider", SettingKind::Text),
    ("redis_backend_health_check_interval", SettingKind::Number),
    ("redis_client_name", SettingKind::Text),
    ("result_backend_thread_safe", SettingKind::Flag),
];

/// What the value of such a setting is; `None` for all others.
#[must_use]
pub fn undeclared(name: &str) -> Option<SettingKind> {
    UNDECLARED.iter().find(|(known, _)| *known == name).map(|(_, kind)| *kind)
}

/// Their names.
pub(super) fn names() -> impl Iterator<Item = &'static str> {
    UNDECLARED.iter().map(|(name, _)| *name)
}
