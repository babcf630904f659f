// SPDX-License-Identifier: Apache-2.0
//! Programs of others beside the API server, which it calls: their certificates, the groups that they answer for, and the
//! wait until they can be used.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde_json::{Value, json};

use crate::control_plane::ControlPlane;
use crate::error::Error;
use crate::objects::{apply, condition, get};
use crate::pki::Companion;
use crate::process::Process;
use crate::until;

/// Also for a machine that compiles at the same time.
const READY_WITHIN: Duration = Duration::from_mins(2);

/// A folder that holds `ca.crt`, `tls.crt` and `tls.key`, the names that controllers in a cluster find in a Secret.
#[derive(Debug)]
pub(crate) struct Certificates {
    folder: PathBuf,
    /// Who has signed them, in PEM.
    pub(crate) ca: String,
}

impl Certificates {
    /// Makes the folder, for a program that is reached by these names.
    pub(crate) fn write(folder: PathBuf, names: Vec<String>) -> Result<Self, Error> {
        let Companion { ca, pair } = Companion::generate(names)?;
        fs::create_dir_all(&folder).map_err(Error::io("create the folder", &folder))?;
        for (name, pem) in [("ca.crt", &ca), ("tls.crt", &pair.certificate), ("tls.key", &pair.key)] {
            let path = folder.join(name);
            fs::write(&path, pem).map_err(Error::io("write", &path))?;
        }
        Ok(Self { folder, ca })
    }

    /// Where they lie.
    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }

    /// One of the files, as the value of a flag.
    pub(crate) fn flag(&self, flag: &str, file: &str) -> String {
        format!("--{flag}={}", self.folder.join(file).display())
    }
}

/// A group of resources that the API server hands on to another program.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Group {
    pub(crate) name: &'static str,
    pub(crate) version: &'static str,
    /// Where the Service is that stands for the program.
    pub(crate) namespace: &'static str,
    pub(crate) service: &'static str,
}

impl Group {
    /// By which names the program is reached: from this machine, and as the API server verifies it.
    pub(crate) fn host_names(&self) -> Vec<String> {
        let service = format!("{}.{}.svc", self.service, self.namespace);
        vec!["localhost".to_owned(), "127.0.0.1".to_owned(), service]
    }

    /// Has requests handed on to a port of this machine, where a certificate of this authority is shown.
    pub(crate) fn register(&self, plane: &ControlPlane, port: u16, ca: &str) -> Result<(), Error> {
        apply(plane, &self.objects(port, ca))
    }

    /// Whether the API server has got an answer; otherwise what it says instead.
    pub(crate) fn is_available(&self, plane: &ControlPlane) -> Result<(), String> {
        condition(&get(plane, &["apiservice", &self.api_service()])?, "Available")
    }

    fn api_service(&self) -> String {
        format!("{}.{}", self.version, self.name)
    }

    fn objects(&self, port: u16, ca: &str) -> Value {
        json!({
            "apiVersion": "v1",
            "kind": "List",
            "items": [
                {
                    "apiVersion": "v1", "kind": "Service",
                    "metadata": { "name": self.service, "namespace": self.namespace },
                    // There is no pod behind it: the program runs where the API server does.
                    "spec": { "type": "ExternalName", "externalName": "localhost" },
                },
                {
                    "apiVersion": "apiregistration.k8s.io/v1", "kind": "APIService",
                    "metadata": { "name": self.api_service() },
                    "spec": {
                        "group": self.name, "version": self.version,
                        "groupPriorityMinimum": 100, "versionPriority": 100,
                        "service": { "name": self.service, "namespace": self.namespace, "port": port },
                        "caBundle": base64(ca.as_bytes()),
                    },
                },
            ],
        })
    }
}

/// Waits for something that programs do together; the end of one ends the wait. The last one is who is waited for.
pub(crate) fn await_programs(
    programs: &mut [Process],
    what: &str,
    mut look: impl FnMut() -> Result<(), String>,
) -> Result<(), Error> {
    let mut ended = None;
    let seen = until(what, READY_WITHIN, || match programs.iter_mut().try_for_each(Process::check_alive) {
        Ok(()) => look(),
        Err(error) => {
            ended = Some(error);
            Ok(())
        }
    });
    if let Some(ended) = ended {
        return Err(ended);
    }
    seen.map_err(|said| {
        let last = programs.last();
        let program = last.map_or(what, Process::name).to_owned();
        Error::CompanionNotReady {
            program,
            said,
            log: last.map(|it| it.log().to_owned()).unwrap_or_default(),
        }
    })
}

/// Makes a namespace, unless it is there.
pub(crate) fn namespace(plane: &ControlPlane, name: &str) -> Result<(), Error> {
    apply(plane, &json!({ "apiVersion": "v1", "kind": "Namespace", "metadata": { "name": name } }))
}

/// As JSON of Kubernetes holds bytes.
pub(crate) fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::new();
    for chunk in bytes.chunks(3) {
        let byte = |index: usize| usize::from(chunk.get(index).copied().unwrap_or_default());
        let bits = (byte(0) << 16) | (byte(1) << 8) | byte(2);
        for digit in 0..4 {
            let value = (bits >> (18 - 6 * digit)) & 63;
            let is_there = digit <= chunk.len();
            text.push(if is_there { char::from(DIGITS[value]) } else { '=' });
        }
    }
    text
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use tempfile::TempDir;

    const GROUP: Group =
        Group { name: "metrics.example.com", version: "v1beta1", namespace: "meters", service: "meter" };

    #[test]
    fn bytes_are_written_as_everybody_writes_them() {
        for (bytes, text) in [
            ("", ""),
            ("f", "Zg=="),
            ("fo", "Zm8="),
            ("foo", "Zm9v"),
            ("foob", "Zm9vYg=="),
            ("\u{ff}?", "w78/"),
        ] {
            assert_eq!(base64(bytes.as_bytes()), text);
        }
    }

    #[test]
    fn the_certificate_has_the_name_that_the_api_server_verifies() {
        let objects = GROUP.objects(12_345, "authority");
        let service = &objects["items"][1]["spec"]["service"];
        let verified =
            format!("{}.{}.svc", service["name"].as_str().unwrap(), service["namespace"].as_str().unwrap());
        assert!(GROUP.host_names().contains(&verified));
        assert_eq!(objects["items"][0]["metadata"]["name"], service["name"]);
        assert_eq!(objects["items"][1]["metadata"]["name"], "v1beta1.metrics.example.com");
    }

    #[test]
    fn a_folder_of_certificates_is_complete() {
        let dir = TempDir::new().unwrap();
        let certificates = Certificates::write(dir.path().join("certs"), GROUP.host_names()).unwrap();
        assert_eq!(fs::read_to_string(certificates.folder().join("ca.crt")).unwrap(), certificates.ca);
        for flag in [certificates.flag("a", "tls.crt"), certificates.flag("a", "tls.key")] {
            assert!(Path::new(flag.strip_prefix("--a=").unwrap()).is_file(), "{flag}");
        }
    }
}
