// SPDX-License-Identifier: Apache-2.0
//! What the table of namespaces does not say: settings outside them, kinds that are left open, and old names.

use super::{Setting, SettingKind};
use crate::celery::version::Release;

/// Settings that are in no namespace, with their old names.
const OUTSIDE: &[(&str, SettingKind, &str)] = &[
    ("accept_content", SettingKind::List, "CELERY_ACCEPT_CONTENT"),
    ("enable_utc", SettingKind::Flag, "ENABLE_UTC"),
    ("imports", SettingKind::List, "CELERY_IMPORTS"),
    ("include", SettingKind::List, "CELERY_INCLUDE"),
    ("result_accept_content", SettingKind::List, "RESULT_ACCEPT_CONTENT"),
    ("timezone", SettingKind::Text, "CELERY_TIMEZONE"),
];

/// What an old name begins with in each namespace; the namespace itself in all others.
const PREFIXES: &[(&str, &str)] = &[
    ("arangodb", "celery_arangodb"),
    ("beat", "celerybeat"),
    ("cache", "celery_cache"),
    ("couchbase", "celery_couchbase"),
    ("elasticsearch", "celery_elasticsearch"),
    ("event", "celery_event"),
    ("mongodb", "celery_mongodb"),
    ("redis", "celery_redis"),
    ("result", "celery_result"),
    ("security", "celery_security"),
    ("task", "celery"),
    ("worker", "celeryd"),
];

/// Old names that follow no rule.
const RENAMED: &[(&str, &str)] = &[
    ("database_engine_options", "CELERY_RESULT_ENGINE_OPTIONS"),
    ("database_short_lived_sessions", "CELERY_RESULT_DB_SHORT_LIVED_SESSIONS"),
    ("database_table_names", "CELERY_RESULT_DB_TABLENAMES"),
    ("database_url", "CELERY_RESULT_DBURI"),
    ("result_cache_max", "CELERY_MAX_CACHED_RESULTS"),
    ("result_expires", "CELERY_TASK_RESULT_EXPIRES"),
    ("task_compression", "CELERY_MESSAGE_COMPRESSION"),
    ("task_eager_propagates", "CELERY_EAGER_PROPAGATES_EXCEPTIONS"),
    ("task_protocol", "CELERY_TASK_PROTOCOL"),
    ("task_publish_retry", "CELERY_TASK_PUBLISH_RETRY"),
    ("task_publish_retry_policy", "CELERY_TASK_PUBLISH_RETRY_POLICY"),
    ("task_send_sent_event", "CELERY_SEND_TASK_SENT_EVENT"),
    ("task_serializer", "CELERY_TASK_SERIALIZER"),
    ("task_soft_time_limit", "CELERYD_TASK_SOFT_TIME_LIMIT"),
    ("task_time_limit", "CELERYD_TASK_TIME_LIMIT"),
    ("worker_direct", "CELERY_WORKER_DIRECT"),
    ("worker_disable_rate_limits", "CELERY_DISABLE_RATE_LIMITS"),
    ("worker_enable_remote_control", "CELERY_ENABLE_REMOTE_CONTROL"),
    ("worker_lost_wait", "CELERYD_WORKER_LOST_WAIT"),
    ("worker_redirect_stdouts", "CELERY_REDIRECT_STDOUTS"),
    ("worker_redirect_stdouts_level", "CELERY_REDIRECT_STDOUTS_LEVEL"),
    ("worker_send_task_events", "CELERY_SEND_EVENTS"),
];

pub(super) fn outside() -> impl Iterator<Item = Setting> {
    OUTSIDE.iter().map(|(name, kind, old)| Setting {
        name: (*name).to_owned(),
        kind: *kind,
        since: Release::V4_4,
        until: None,
        old: (*old).to_owned(),
    })
}

/// What a value is where Celery's own table has a word for it that its reader does not know.
pub(super) fn kind(name: &str) -> SettingKind {
    match name {
        "cassandra_servers" => SettingKind::List,
        "security_key_password" => SettingKind::Bytes,
        "beat_cron_starting_deadline" => SettingKind::Whole,
        _ => SettingKind::Text,
    }
}

/// The name in capitals.
pub(super) fn old(namespace: &str, key: &str) -> String {
    let name = format!("{namespace}_{key}");
    if let Some((_, old)) = RENAMED.iter().find(|(new, _)| *new == name) {
        return (*old).to_owned();
    }
    let prefix =
        PREFIXES.iter().find(|(known, _)| *known == namespace).map_or(namespace, |(_, prefix)| prefix);
    format!("{prefix}_{key}").to_ascii_uppercase()
}
