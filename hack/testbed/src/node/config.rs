// SPDX-License-Identifier: Apache-2.0
//! What the programs of a node are told: their files, as text.

use std::path::Path;

use serde_json::{Value, json};

use super::network::{DNS, NODE, PODS};
use super::{NAME, PAUSE_IMAGE, cgroups};

/// Where containerd listens, below the folder of the node.
pub(crate) const SOCKET: &str = "containerd.sock";

/// containerd's configuration, in TOML.
pub(crate) fn containerd(dir: &Path, cni: &Path, runc: &Path) -> String {
    let (dir, cni, runc) = (dir.display(), cni.display(), runc.display());
    format!(
        r#"version = 3
root = "{dir}/containerd"
# In memory: it names sockets and mounts, which do not outlive the node.
state = "/run/containerd"

[grpc]
  address = "{dir}/{SOCKET}"

[plugins."io.containerd.cri.v1.images".pinned_images]
  sandbox = "{PAUSE_IMAGE}"

[plugins."io.containerd.cri.v1.runtime"]
  # Not every machine lets root make itself a worse victim than its parent.
  restrict_oom_score_adj = true

[plugins."io.containerd.cri.v1.runtime".cni]
  bin_dirs = ["{cni}"]
  conf_dir = "{dir}/cni"

[plugins."io.containerd.cri.v1.runtime".containerd.runtimes.runc]
  runtime_type = "io.containerd.runc.v2"

[plugins."io.containerd.cri.v1.runtime".containerd.runtimes.runc.options]
  BinaryName = "{runc}"
  SystemdCgroup = false
"#
    )
}

/// How pods get their addresses. Each has a cable of its own to the node and no bridge between them: whatever it sends
/// passes the rules of Services, on kernels without filters for bridges too.
pub(crate) fn pod_network(dir: &Path) -> Value {
    json!({
        "cniVersion": "1.0.0",
        "name": "pods",
        "plugins": [{
            "type": "ptp",
            "ipam": {
                "type": "host-local",
                "dataDir": dir.join("addresses"),
                "ranges": [[{ "subnet": PODS }]],
                "routes": [{ "dst": "0.0.0.0/0" }],
            },
        }],
    })
}

/// kubelet's configuration.
pub(crate) fn kubelet(dir: &Path, authority: &Path) -> Value {
    json!({
        "apiVersion": "kubelet.config.k8s.io/v1beta1",
        "kind": "KubeletConfiguration",
        "address": "0.0.0.0",
        "readOnlyPort": 0,
        // Whoever has the API server's certificate may do everything, and nobody else anything.
        "authentication": {
            "anonymous": { "enabled": false },
            "webhook": { "enabled": false },
            "x509": { "clientCAFile": authority },
        },
        "authorization": { "mode": "AlwaysAllow" },
        "cgroupDriver": "cgroupfs",
        "cgroupRoot": cgroups::ROOT,
        "clusterDNS": [DNS],
        "clusterDomain": "cluster.local",
        "containerRuntimeEndpoint": format!("unix://{}", dir.join(SOCKET).display()),
        "enforceNodeAllocatable": [],
        // A disk that others have filled is no reason to end pods here, nor to remove images that nobody can pull.
        "evictionHard": { "memory.available": "50Mi", "nodefs.available": "200Mi", "imagefs.available": "200Mi" },
        "imageGCHighThresholdPercent": 100,
        "failCgroupV1": false,
        "failSwapOn": false,
        "podLogsDir": dir.join("pods"),
        // No name outside of the cluster is needed, and this machine's own servers may be out of reach from here.
        "resolvConf": "",
        "volumePluginDir": dir.join("volume-plugins"),
    })
}

/// kube-proxy's configuration. What it could only set for the whole machine it is told to leave alone.
pub(crate) fn kube_proxy(kubeconfig: &Path) -> Value {
    json!({
        "apiVersion": "kubeproxy.config.k8s.io/v1alpha1",
        "kind": "KubeProxyConfiguration",
        "clientConnection": { "kubeconfig": kubeconfig },
        "clusterCIDR": PODS,
        "hostnameOverride": NAME,
        "mode": "iptables",
        "conntrack": {
            "maxPerCore": 0, "min": 0, "tcpEstablishedTimeout": "0s", "tcpCloseWaitTimeout": "0s",
        },
    })
}

/// `CoreDNS`: names of the cluster, and no others.
pub(crate) fn corefile(kubeconfig: &Path) -> String {
    format!(
        ".:53 {{\n  bind {NODE}\n  errors\n  kubernetes cluster.local in-addr.arpa {{\n    kubeconfig {}\n    ttl 1\n  }}\n}}\n",
        kubeconfig.display()
    )
}

/// The Service of DNS, which leads to a process of the node and not to pods.
pub(crate) fn dns_service() -> Value {
    let ports = |target: bool| {
        ["UDP", "TCP"].map(|protocol| {
            let mut port =
                json!({ "name": format!("dns-{}", protocol.to_lowercase()), "protocol": protocol, "port": 53 });
            if target {
                port["targetPort"] = json!(53);
            }
            port
        })
    };
    json!({
        "apiVersion": "v1",
        "kind": "List",
        "items": [
            {
                "apiVersion": "v1", "kind": "Service",
                "metadata": { "name": "kube-dns", "namespace": "kube-system" },
                "spec": { "clusterIP": DNS, "ports": ports(true) },
            },
            {
                "apiVersion": "discovery.k8s.io/v1", "kind": "EndpointSlice",
                "metadata": {
                    "name": "kube-dns-node", "namespace": "kube-system",
                    "labels": { "kubernetes.io/service-name": "kube-dns" },
                },
                "addressType": "IPv4",
                "endpoints": [{ "addresses": [NODE], "conditions": { "ready": true } }],
                "ports": ports(false),
            },
        ],
    })
}

/// A pod that ends well when it has resolved the name of a Service.
pub(crate) fn probe() -> Value {
    let question = "until busybox nslookup kubernetes.default.svc.cluster.local; do busybox sleep 0.2; done";
    json!({
        "apiVersion": "v1", "kind": "Pod",
        "metadata": { "name": PROBE, "namespace": "kube-system" },
        "spec": {
            "restartPolicy": "Never",
            "terminationGracePeriodSeconds": 0,
            "automountServiceAccountToken": false,
            "containers": [{
                "name": "probe", "image": PAUSE_IMAGE, "imagePullPolicy": "Never",
                "command": ["busybox", "sh", "-c", question],
            }],
        },
    })
}

/// Name of the pod that [`probe`] describes.
pub(crate) const PROBE: &str = "a-name-is-resolved";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn containerd_and_kubelet_mean_the_same_socket() {
        let dir = Path::new("/tmp/x/node");
        let containerd = containerd(dir, Path::new("/usr/lib/cni"), Path::new("/usr/sbin/runc"));
        assert!(containerd.contains("address = \"/tmp/x/node/containerd.sock\""), "{containerd}");
        let kubelet = kubelet(dir, Path::new("/tmp/x/ca.crt"));
        assert_eq!(kubelet["containerRuntimeEndpoint"], "unix:///tmp/x/node/containerd.sock");
    }

    #[test]
    fn the_service_and_its_slice_name_the_same_ports() {
        let list = dns_service();
        let names = |ports: &Value| -> Vec<String> {
            ports.as_array().into_iter().flatten().map(|port| port["name"].to_string()).collect()
        };
        let (service, slice) = (&list["items"][0]["spec"]["ports"], &list["items"][1]["ports"]);
        assert_eq!(names(service), names(slice));
        assert_eq!(names(service).len(), 2);
    }
}
