// SPDX-License-Identifier: Apache-2.0
//! The files and ports of one instance.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::json;

use crate::Error;
use crate::node::network;
use crate::pki::{Pki, read_random_token};
use crate::ports::free_ports;

/// Every request once, when it is answered, without bodies.
const AUDIT_POLICY: &str = "apiVersion: audit.k8s.io/v1
kind: Policy
omitStages: [RequestReceived]
rules:
  - level: Metadata
";

/// The user of the controller manager: not the administrator, so that an audit log tells them apart.
const CONTROLLER_MANAGER: &str = "system:kube-controller-manager";

/// The programs of a node, and the groups that give them their rights. DNS reads every Service: it has no group of its
/// own.
const NODE_USERS: [(&str, &str, &str); 4] = [
    ("kubelet", "system:node:node-1", "system:nodes"),
    ("kube-proxy", "system:kube-proxy", "system:authenticated"),
    ("kube-scheduler", "system:kube-scheduler", "system:authenticated"),
    ("coredns", "system:coredns", "system:masters"),
];

/// Where everything is. The files are written once and never changed.
#[derive(Debug)]
pub(crate) struct Layout {
    pub(crate) dir: PathBuf,
    pub(crate) etcd_port: u16,
    pub(crate) etcd_peer_port: u16,
    pub(crate) api_port: u16,
    /// The URL of the API server.
    pub(crate) server: String,
    /// Of the administrator.
    pub(crate) token: String,
    pub(crate) ca_pem: String,
    pub(crate) kubeconfig: PathBuf,
    pub(crate) controller_manager_kubeconfig: PathBuf,
    /// Only when asked for.
    pub(crate) audit_log: Option<PathBuf>,
}

impl Layout {
    /// Chooses ports and secrets, and writes every file that the programs read.
    /// Users of a node are there when one is to join.
    pub(crate) fn write(dir: &Path, audit: bool, node: bool) -> Result<Self, Error> {
        let [etcd_port, etcd_peer_port, api_port] =
            free_ports().map_err(Error::io("find free ports for", dir))?;
        let random = || read_random_token().map_err(Error::io("read", Path::new("/dev/urandom")));
        let pki = Pki::generate()?;
        let layout = Self {
            dir: dir.to_owned(),
            etcd_port,
            etcd_peer_port,
            api_port,
            server: format!("https://127.0.0.1:{api_port}"),
            token: random()?,
            kubeconfig: dir.join("kubeconfig"),
            controller_manager_kubeconfig: dir.join("kube-controller-manager.kubeconfig"),
            audit_log: audit.then(|| dir.join("audit.log")),
            ca_pem: pki.ca.clone(),
        };
        let controller_token = random()?;
        layout.write_pki(&pki)?;
        layout.write_file("audit-policy.yaml", AUDIT_POLICY)?;
        let mut tokens = vec![
            format!("{},admin,admin,system:masters", layout.token),
            format!("{controller_token},{CONTROLLER_MANAGER},{CONTROLLER_MANAGER},system:masters"),
        ];
        let from_node = format!("https://{}:{api_port}", network::HOST);
        for (program, user, group) in NODE_USERS.iter().filter(|_| node) {
            let token = random()?;
            tokens.push(format!("{token},{user},{user},{group}"));
            layout.write_file(
                &format!("{program}.kubeconfig"),
                &layout.kubeconfig_text(&from_node, user, &token),
            )?;
        }
        layout.write_file("tokens.csv", &(tokens.join("\n") + "\n"))?;
        layout.write_file("kubeconfig", &layout.kubeconfig_text(&layout.server, "admin", &layout.token))?;
        layout.write_file(
            "kube-controller-manager.kubeconfig",
            &layout.kubeconfig_text(&layout.server, CONTROLLER_MANAGER, &controller_token),
        )?;
        Ok(layout)
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.dir.join(name)
    }

    fn write_pki(&self, pki: &Pki) -> Result<(), Error> {
        for (name, pem) in [
            ("ca.crt", &pki.ca),
            ("apiserver.crt", &pki.serving.certificate),
            ("apiserver.key", &pki.serving.key),
            ("front-proxy-ca.crt", &pki.front_proxy_ca),
            ("front-proxy.crt", &pki.front_proxy.certificate),
            ("front-proxy.key", &pki.front_proxy.key),
            ("kubelet-client.crt", &pki.kubelet_client.certificate),
            ("kubelet-client.key", &pki.kubelet_client.key),
            ("service-account.key", &pki.service_account_key),
            ("service-account.pub", &pki.service_account_public_key),
        ] {
            self.write_file(name, pem)?;
        }
        Ok(())
    }

    fn write_file(&self, name: &str, text: &str) -> Result<(), Error> {
        let path = self.path(name);
        fs::write(&path, text).map_err(Error::io("write", &path))
    }

    /// JSON, which every reader of kubeconfig files takes as YAML, as it needs no care with quotes.
    fn kubeconfig_text(&self, server: &str, user: &str, token: &str) -> String {
        let config = json!({
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [{"name": "testbed", "cluster": {
                "server": server,
                "certificate-authority": self.path("ca.crt"),
            }}],
            "users": [{"name": user, "user": {"token": token}}],
            "contexts": [{"name": "testbed", "context": {"cluster": "testbed", "user": user}}],
            "current-context": "testbed",
        });
        format!("{config:#}\n")
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::Layout;
    use std::fs;
    use tempfile::TempDir;

    #[test]
    fn every_named_file_is_written() {
        let dir = TempDir::new().unwrap();
        let layout = Layout::write(dir.path(), true, false).unwrap();
        for file in [&layout.kubeconfig, &layout.controller_manager_kubeconfig, &layout.path("tokens.csv")] {
            assert!(file.is_file(), "{}", file.display());
        }
        let kubeconfig: serde_json::Value =
            serde_json::from_slice(&fs::read(&layout.kubeconfig).unwrap()).unwrap();
        assert_eq!(kubeconfig["users"][0]["user"]["token"], layout.token.as_str());
        assert_eq!(kubeconfig["clusters"][0]["cluster"]["server"], layout.server.as_str());
        assert!(kubeconfig["clusters"][0]["cluster"].get("insecure-skip-tls-verify").is_none());
    }

    #[test]
    fn no_audit_log_unless_asked_for() {
        let dir = TempDir::new().unwrap();
        assert!(Layout::write(dir.path(), false, false).unwrap().audit_log.is_none());
    }

    #[test]
    fn users_of_a_node_are_there_only_with_one() {
        for node in [false, true] {
            let dir = TempDir::new().unwrap();
            let layout = Layout::write(dir.path(), false, node).unwrap();
            let tokens = fs::read_to_string(layout.path("tokens.csv")).unwrap();
            assert_eq!(tokens.contains("system:node:node-1"), node, "{tokens}");
            assert_eq!(layout.path("kubelet.kubeconfig").is_file(), node);
        }
    }
}
