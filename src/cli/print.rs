// SPDX-License-Identifier: Apache-2.0
//! Generated YAML on stdout.

use std::io::{self, Write as _};
use std::process::ExitCode;

use serde_json::Value;

use super::{Manifests, Which};
use crate::api;
use crate::manifests::{self, Destination};

const LICENCE: &str = "# SPDX-License-Identifier: Apache-2.0\n";

/// The CustomResourceDefinition.
pub(super) fn crd() -> Value {
    serde_json::to_value(api::crd::definition()).unwrap_or_default()
}

/// The chosen manifests.
pub(super) fn manifests(manifests: &Manifests) -> Vec<Value> {
    let destination = match &manifests.url {
        Some(url) => Destination::Url(url.clone()),
        None => Destination::Service { namespace: manifests.namespace.clone() },
    };
    let rbac = || manifests::rbac(&manifests.namespace);
    let webhooks = || manifests::webhooks(&destination);
    match manifests.which {
        Which::Rbac => rbac(),
        Which::Webhooks => webhooks(),
        Which::All => [vec![crd()], rbac(), webhooks()].concat(),
    }
}

/// Writes documents to stdout; a reader that went away is no error.
pub(super) fn documents(documents: &[Value]) -> ExitCode {
    let text = match documents.iter().map(serde_saphyr::to_string).collect::<Result<Vec<String>, _>>() {
        Ok(texts) => format!("{LICENCE}{}", texts.join("---\n")),
        Err(error) => {
            let _ = writeln!(io::stderr(), "cannot write YAML: {error}");
            return ExitCode::FAILURE;
        }
    };
    match io::stdout().write_all(text.as_bytes()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => ExitCode::FAILURE,
        _ => ExitCode::SUCCESS,
    }
}
