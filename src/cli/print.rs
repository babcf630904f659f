// SPDX-License-Identifier: Apache-2.0
//! What goes to stdout and stderr, generated YAML above all.

use std::borrow::Cow;
use std::io::{self, Write as _};
use std::process::ExitCode;

use serde_json::Value;

use super::{Manifests, Which};
use crate::api;
use crate::manifests::{self, Destination};
use crate::rules::visible;

const LICENCE: &str = "# SPDX-License-Identifier: Apache-2.0\n";

/// The CustomResourceDefinition.
pub(super) fn crd() -> Value {
    serde_json::to_value(api::crd::definition()).unwrap_or_default()
}

/// The chosen manifests.
pub(super) fn manifests(manifests: &Manifests) -> Vec<Value> {
    let installation = manifests.installation();
    let rbac = || manifests::rbac(&installation);
    let manager = || manifests::manager(&installation, &manifests.image);
    let webhooks = || {
        let destination = manifests.url.clone().map_or(Destination::Service, Destination::Url);
        manifests::webhooks(&installation, &destination)
    };
    match (manifests.which, &manifests.url) {
        (Which::Namespace, _) => vec![manifests::namespace(&installation)],
        (Which::Rbac, _) => rbac(),
        (Which::Manager, _) => manager(),
        (Which::Webhooks, _) => webhooks(),
        (Which::All, Some(_)) => [vec![crd()], rbac(), webhooks()].concat(),
        (Which::All, None) => {
            [vec![manifests::namespace(&installation), crd()], rbac(), manager(), webhooks()].concat()
        }
    }
}

/// A file as it may begin a line. Who runs a program takes a line that begins with two colons for a command.
pub(super) fn file(name: &str) -> Cow<'_, str> {
    if name.starts_with("::") { format!("./{}", visible(name)).into() } else { visible(name) }
}

/// Writes documents to stdout; a reader that went away is no error.
pub(super) fn documents(documents: &[Value]) -> ExitCode {
    let yaml = match documents.iter().map(serde_saphyr::to_string).collect::<Result<Vec<String>, _>>() {
        Ok(texts) => format!("{LICENCE}{}", texts.join("---\n")),
        Err(error) => {
            errors(&format!("cannot write YAML: {error}\n"));
            return ExitCode::FAILURE;
        }
    };
    text(&yaml, ExitCode::SUCCESS)
}

/// Writes a text to stdout and passes the outcome on; a reader that went away is no error.
pub(super) fn text(text: &str, outcome: ExitCode) -> ExitCode {
    match io::stdout().write_all(text.as_bytes()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => ExitCode::FAILURE,
        _ => outcome,
    }
}

/// Writes a text to stderr.
pub(super) fn errors(text: &str) {
    let _ = io::stderr().write_all(text.as_bytes());
}
