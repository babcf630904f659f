// SPDX-License-Identifier: Apache-2.0
//! The command lines of the programs.

use std::env;
use std::path::Path;
use std::process::Command;

use crate::layout::Layout;
use crate::node::network;
use crate::pki::FRONT_PROXY;
use crate::{Binaries, Options};

pub(crate) fn etcd(binaries: &Binaries, layout: &Layout) -> Command {
    let client = format!("http://127.0.0.1:{}", layout.etcd_port);
    let peer = format!("http://127.0.0.1:{}", layout.etcd_peer_port);
    let mut command = Command::new(&binaries.etcd);
    command.args([
        "--name=testbed".to_owned(),
        file("data-dir", &layout.path("etcd")),
        format!("--listen-client-urls={client}"),
        format!("--advertise-client-urls={client}"),
        format!("--listen-peer-urls={peer}"),
        format!("--initial-advertise-peer-urls={peer}"),
        format!("--initial-cluster=testbed={peer}"),
        // Data that is thrown away needs no disk; a benchmark then measures the operator, not the disk.
        "--unsafe-no-fsync".to_owned(),
    ]);
    // etcd reads these and ends when one contradicts a flag.
    for (name, _) in env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("ETCD_")) {
        command.env_remove(name);
    }
    command
}

pub(crate) fn kube_apiserver(binaries: &Binaries, layout: &Layout, options: &Options) -> Command {
    let mut command = Command::new(&binaries.kube_apiserver);
    command.args([
        format!("--etcd-servers=http://127.0.0.1:{}", layout.etcd_port),
        format!("--secure-port={}", layout.api_port),
        file("tls-cert-file", &layout.path("apiserver.crt")),
        file("tls-private-key-file", &layout.path("apiserver.key")),
        file("token-auth-file", &layout.path("tokens.csv")),
        "--authorization-mode=Node,RBAC".to_owned(),
        "--allow-privileged=true".to_owned(),
        // A /24 would be full after 254 Services.
        "--service-cluster-ip-range=10.96.0.0/16".to_owned(),
        "--service-account-issuer=https://kubernetes.default.svc".to_owned(),
        file("service-account-key-file", &layout.path("service-account.pub")),
        file("service-account-signing-key-file", &layout.path("service-account.key")),
    ]);
    if options.aggregation {
        command.args(aggregation(layout));
    }
    if options.node {
        command.args(reached_from_a_node(layout));
    } else {
        command.args([
            "--bind-address=127.0.0.1",
            // Otherwise a machine without a default route cannot start it. A loopback address is no valid endpoint of
            // the Service `kubernetes`, so none is kept.
            "--advertise-address=127.0.0.1",
            "--endpoint-reconciler-type=none",
        ]);
    }
    if let Some(audit_log) = &layout.audit_log {
        command.args([
            file("audit-policy-file", &layout.path("audit-policy.yaml")),
            file("audit-log-path", audit_log),
            // In megabytes. The default moves the file away after 100, in the middle of a count.
            "--audit-log-maxsize=100000".to_owned(),
        ]);
    }
    command.args(&options.extra_apiserver_args);
    command
}

/// What lets further API servers, such as those of KEDA and metrics-server, be added by an `APIService`.
fn aggregation(layout: &Layout) -> [String; 7] {
    [
        file("requestheader-client-ca-file", &layout.path("front-proxy-ca.crt")),
        format!("--requestheader-allowed-names={FRONT_PROXY}"),
        "--requestheader-username-headers=X-Remote-User".to_owned(),
        "--requestheader-group-headers=X-Remote-Group".to_owned(),
        "--requestheader-extra-headers-prefix=X-Remote-Extra-".to_owned(),
        file("proxy-client-cert-file", &layout.path("front-proxy.crt")),
        file("proxy-client-key-file", &layout.path("front-proxy.key")),
    ]
}

/// The node's end of the link to this machine is no loopback address, and may not be there yet.
fn reached_from_a_node(layout: &Layout) -> [String; 6] {
    [
        "--bind-address=0.0.0.0".to_owned(),
        format!("--advertise-address={}", network::HOST),
        "--endpoint-reconciler-type=lease".to_owned(),
        // The node's name means nothing to this machine.
        "--kubelet-preferred-address-types=InternalIP".to_owned(),
        file("kubelet-client-certificate", &layout.path("kubelet-client.crt")),
        file("kubelet-client-key", &layout.path("kubelet-client.key")),
    ]
}

pub(crate) fn kube_controller_manager(binaries: &Binaries, layout: &Layout, options: &Options) -> Command {
    let mut command = Command::new(&binaries.kube_controller_manager);
    command.args([
        file("kubeconfig", &layout.controller_manager_kubeconfig),
        "--leader-elect=false".to_owned(),
        "--secure-port=0".to_owned(),
        "--use-service-account-credentials=false".to_owned(),
        file("service-account-private-key-file", &layout.path("service-account.key")),
        file("root-ca-file", &layout.path("ca.crt")),
        // The default of 15 s makes every test of autoscaling three times as long.
        "--horizontal-pod-autoscaler-sync-period=5s".to_owned(),
    ]);
    command.args(&options.extra_controller_manager_args);
    command
}

/// kubectl that reads and writes nothing of the user's.
pub(crate) fn kubectl(binaries: &Binaries, layout: &Layout) -> Command {
    let mut command = Command::new(&binaries.kubectl);
    command.env("KUBECONFIG", &layout.kubeconfig).env("KUBERC", "off");
    command.arg(file("cache-dir", &layout.path("kubectl-cache")));
    command
}

fn file(flag: &str, path: &Path) -> String {
    format!("--{flag}={}", path.display())
}
