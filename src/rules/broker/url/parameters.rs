// SPDX-License-Identifier: Apache-2.0
//! What stands behind the "?" of a broker URL.

use super::defects;
use crate::celery::broker_url::{CERT_REQS, Defect};
use crate::rules::finding::Report;
use crate::rules::subject::Subject;

/// Transport options that people write behind the "?".
const OPTIONS: [&str; 14] = [
    "visibility_timeout",
    "health_check_interval",
    "master_name",
    "socket_timeout",
    "socket_connect_timeout",
    "socket_keepalive",
    "max_connections",
    "retry_on_timeout",
    "global_keyprefix",
    "queue_order_strategy",
    "confirm_publish",
    "region",
    "polling_interval",
    "wait_time_seconds",
];

pub(super) fn b13(subject: &Subject<'_>, report: &mut Report<'_>) {
    defects(subject, report, |defect, _| match defect {
        Defect::Parameter(name) if OPTIONS.contains(&name.as_str()) => {
            Some(format!("set transportOptions.{name} instead"))
        }
        Defect::Parameter(name) if name == "ssl" => {
            Some("remove it: rediss:// is what switches TLS on".to_owned())
        }
        Defect::Parameter(name) if ["password", "username"].contains(&name.as_str()) => Some(
            "write redis://user:password@host, percent-encoded, or set broker.redis with passwordSecretRef"
                .to_owned(),
        ),
        Defect::Parameter(_) => Some("remove it, or look for it among transportOptions".to_owned()),
        Defect::ParameterValue(name) if name == "login_method" => {
            Some("use one of PLAIN, AMQPLAIN, EXTERNAL, GSSAPI".to_owned())
        }
        Defect::ParameterValue(_) => Some("use a number".to_owned()),
        _ => None,
    });
}

pub(super) fn b14(subject: &Subject<'_>, report: &mut Report<'_>) {
    defects(subject, report, |defect, _| {
        matches!(defect, Defect::CertReqs(_)).then(|| format!("use one of {}", CERT_REQS.join(", ")))
    });
}

pub(super) fn b16(subject: &Subject<'_>, report: &mut Report<'_>) {
    defects(subject, report, |defect, _| {
        matches!(defect, Defect::TlsParameter(_)).then(|| "set broker_use_ssl in the application".to_owned())
    });
}
