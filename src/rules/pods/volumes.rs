// SPDX-License-Identifier: Apache-2.0
//! Volumes, what fills them, and where they appear.

use std::collections::HashSet;

use serde_json::Value;

use super::form::{Form, Item, Must, field};
use super::text::{
    ABSOLUTE, CLAIM_NAME, FILE, INNER_PATH, KEY, LABEL_NAME, MEDIUM, NO_PARENT, OBJECT_NAME, is_pod_field,
};
use super::variables::RESOURCE;
use super::walk::Told;
use crate::rules::finding::Kind;

/// Rights of a file, 0777 in octal.
const MODE: Must = Must::Between(0, 0o777);

/// A volume.
pub(super) static VOLUME: Form = Form::of(&[
    field("name", Must::Read(&LABEL_NAME)),
    field("secret", Must::Be(&SECRET)),
    field("configMap", Must::Be(&CONFIG_MAP)),
    field("persistentVolumeClaim", Must::Be(&CLAIM)),
    field("hostPath", Must::Be(&HOST_PATH)),
    field("emptyDir", Must::Be(&EMPTY_DIR)),
    field("projected", Must::Be(&PROJECTED)),
    field("downwardAPI", Must::Be(&DOWNWARD)),
    field("ephemeral", Must::Be(&EPHEMERAL)),
    field("nfs", Must::Be(&NFS)),
    field("csi", Must::Be(&CSI)),
    field("iscsi", Must::Be(&ISCSI)),
    field("awsElasticBlockStore", Must::Be(&EBS)),
])
.needs(&[("name", "name the volume")])
.at_most_one_of(SOURCES);

/// Everything that a volume can be.
const SOURCES: &[&str] = &[
    "awsElasticBlockStore",
    "azureDisk",
    "azureFile",
    "cephfs",
    "cinder",
    "configMap",
    "csi",
    "downwardAPI",
    "emptyDir",
    "ephemeral",
    "fc",
    "flexVolume",
    "flocker",
    "gcePersistentDisk",
    "gitRepo",
    "glusterfs",
    "hostPath",
    "image",
    "iscsi",
    "nfs",
    "persistentVolumeClaim",
    "photonPersistentDisk",
    "portworxVolume",
    "projected",
    "quobyte",
    "rbd",
    "scaleIO",
    "secret",
    "storageos",
    "vsphereVolume",
];

static SECRET: Form = Form::of(&[field("defaultMode", MODE), field("items", Must::List(&KEY_AND_FILE))])
    .needs(&[("secretName", "name the Secret")]);

static CONFIG_MAP: Form = Form::of(&[field("defaultMode", MODE), field("items", Must::List(&KEY_AND_FILE))])
    .needs(&[("name", "name the ConfigMap")]);

static KEY_AND_FILE: Form =
    Form::of(&[field("key", Must::Read(&KEY)), field("path", Must::Read(&FILE)), field("mode", MODE)])
        .needs(&[("key", "name a key"), ("path", "name a file")]);

static CLAIM: Form = Form::of(&[field("claimName", Must::Read(&CLAIM_NAME))])
    .needs(&[("claimName", "name the PersistentVolumeClaim")]);

static HOST_PATH: Form = Form::of(&[
    field("path", Must::Read(&NO_PARENT)),
    field(
        "type",
        Must::Word(&[
            "DirectoryOrCreate",
            "Directory",
            "FileOrCreate",
            "File",
            "Socket",
            "CharDevice",
            "BlockDevice",
        ]),
    ),
])
.needs(&[("path", "name a folder of the node")]);

static EMPTY_DIR: Form = Form::of(&[field("sizeLimit", Must::Amount), field("medium", Must::Read(&MEDIUM))]);

static PROJECTED: Form =
    Form::of(&[field("defaultMode", MODE), field("sources", Must::List(&PROJECTION))]).whole(no_file_twice);

static PROJECTION: Form = Form::of(&[
    field("secret", Must::Be(&PROJECTED_OBJECT)),
    field("configMap", Must::Be(&PROJECTED_OBJECT)),
    field("serviceAccountToken", Must::Be(&TOKEN)),
    field("downwardAPI", Must::Be(&DOWNWARD)),
])
.at_most_one_of(&["secret", "configMap", "serviceAccountToken", "downwardAPI", "clusterTrustBundle"]);

static PROJECTED_OBJECT: Form =
    Form::of(&[field("items", Must::List(&KEY_AND_FILE))]).needs(&[("name", "name the object")]);

static TOKEN: Form =
    Form::of(&[field("path", Must::Read(&FILE)), field("expirationSeconds", Must::Between(600, 1 << 32))])
        .needs(&[("path", "name a file")]);

static DOWNWARD: Form = Form::of(&[field("defaultMode", MODE), field("items", Must::List(&DOWNWARD_FILE))]);

static DOWNWARD_FILE: Form = Form::of(&[
    field("path", Must::Read(&FILE)),
    field("mode", MODE),
    field("fieldRef", Must::Be(&FILE_FIELD)),
    field("resourceFieldRef", Must::Be(&FILE_RESOURCE)),
])
.needs(&[("path", "name a file")])
.one_of(&["fieldRef", "resourceFieldRef"]);

static FILE_FIELD: Form = Form::of(&[field("apiVersion", Must::Word(&["v1"]))])
    .needs(&[("fieldPath", "set one such as metadata.labels")])
    .whole(file_field);

static FILE_RESOURCE: Form = Form::of(RESOURCE.fields)
    .needs(&[("containerName", "name a container"), ("resource", "set one such as limits.cpu")]);

static EPHEMERAL: Form = Form::of(&[field("volumeClaimTemplate", Must::Be(&CLAIM_TEMPLATE))])
    .needs(&[("volumeClaimTemplate", "describe the claim")]);

static CLAIM_TEMPLATE: Form =
    Form::of(&[field("spec", Must::Be(&CLAIM_SPEC))]).needs(&[("spec", "describe the claim")]);

static CLAIM_SPEC: Form = Form::of(&[field("resources", Must::Be(&CLAIM_RESOURCES))])
    .needs(&[("accessModes", "use [ReadWriteOnce]"), ("resources", "set requests.storage")]);

static CLAIM_RESOURCES: Form =
    Form::of(&[field("requests", Must::Be(&CLAIM_REQUESTS))]).needs(&[("requests", "set storage")]);

static CLAIM_REQUESTS: Form =
    Form::of(&[field("storage", Must::Amount)]).needs(&[("storage", "set a size such as 1Gi")]);

static NFS: Form = Form::of(&[field("path", Must::Read(&ABSOLUTE))])
    .needs(&[("server", "name the server"), ("path", "name a folder of it")]);

static CSI: Form =
    Form::of(&[field("driver", Must::Read(&OBJECT_NAME))]).needs(&[("driver", "name the driver")]);

static ISCSI: Form = Form::of(&[]).needs(&[("targetPortal", "name the portal"), ("iqn", "name the target")]);

static EBS: Form = Form::of(&[]).needs(&[("volumeID", "name the volume")]);

/// Where a volume appears. Whether the volume is there, and whether the place is one, other rules tell.
pub(super) static MOUNT: Form = Form::of(&[
    field("subPath", Must::Read(&INNER_PATH)),
    field("subPathExpr", Must::Read(&INNER_PATH)),
    field("mountPropagation", Must::Word(&["None", "HostToContainer", "Bidirectional"])),
    field("recursiveReadOnly", Must::Word(&["Disabled", "IfPossible", "Enabled"])),
])
.needs(&[("mountPath", "name a folder such as /data")])
.whole(mount);

fn mount(item: &Item<'_>, told: &mut Told) {
    // Elsewhere the rule about volumes that are not there tells.
    if item.is_in_template() && item.effective("name").is_none_or(|name| name == "") {
        told.add(Kind::Required, item.at("name"), "is not set", "name a volume");
    }
    if !item.text("subPath").is_empty() && !item.text("subPathExpr").is_empty() {
        told.add(Kind::Forbidden, item.at("subPathExpr"), "subPath is set too", "keep one of the two");
    }
    let recursive = ["IfPossible", "Enabled"].contains(&item.text("recursiveReadOnly"));
    if recursive && item.effective("readOnly") != Some(&Value::Bool(true)) {
        let message = "the mount itself can be written to";
        told.add(Kind::Forbidden, item.at("recursiveReadOnly"), message, "set readOnly: true, or remove it");
    }
}

fn file_field(item: &Item<'_>, told: &mut Told) {
    let plain =
        ["metadata.name", "metadata.namespace", "metadata.uid", "metadata.labels", "metadata.annotations"];
    let path = item.text("fieldPath");
    if !path.is_empty() && !is_pod_field(path, &plain) {
        let message = "is not a field that a file can show";
        told.add(Kind::Invalid, item.at("fieldPath"), message, "use one such as metadata.labels");
    }
}

fn no_file_twice(item: &Item<'_>, told: &mut Told) {
    let mut taken = HashSet::new();
    for (index, source) in item.list("sources").iter().enumerate() {
        for kind in ["secret", "configMap", "downwardAPI"] {
            let items = source[kind]["items"].as_array().into_iter().flatten();
            for (at, file) in items.enumerate() {
                let Some(path) = file["path"].as_str().filter(|path| !path.is_empty()) else { continue };
                if !taken.insert(path) {
                    let path = format!("{}[{index}].{kind}.items[{at}].path", item.at("sources"));
                    told.add(
                        Kind::Duplicate,
                        path,
                        "another file of the volume has this name",
                        "use another name",
                    );
                }
            }
        }
        let file = &source["serviceAccountToken"]["path"];
        if let Value::String(path) = file
            && !path.is_empty()
            && !taken.insert(path)
        {
            let path = format!("{}[{index}].serviceAccountToken.path", item.at("sources"));
            told.add(Kind::Duplicate, path, "another file of the volume has this name", "use another name");
        }
    }
}
