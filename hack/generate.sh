#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Writes what Rust is the source of into a folder: manifests below config, the reference below docs, and what the charts
# have in common with them.
set -eu
folder=$1
binaries=${CARGO_TARGET_DIR:-target}/debug
operator=$binaries/celery-operator
config=$folder/config
mkdir -p "$config/crd" "$config/default" "$config/manager" "$config/rbac" "$config/webhook" "$folder/docs/reference"
"$operator" crd >"$config/crd/celeryproject.org_celeries.yaml"
"$operator" manifests namespace >"$config/default/namespace.yaml"
"$operator" manifests manager >"$config/manager/manager.yaml"
"$operator" manifests rbac >"$config/rbac/rbac.yaml"
"$operator" manifests webhooks >"$config/webhook/webhooks.yaml"
"$operator" manifests all >"$config/install.yaml"
"$binaries/reference" "$folder/docs/reference"

# kustomization FOLDER RESOURCE...
kustomization() {
    file=$config/$1/kustomization.yaml
    shift
    cat >"$file" <<END
# SPDX-License-Identifier: Apache-2.0
# One of your own on top of this may name another namespace, and another image for celery-operator.
apiVersion: kustomize.config.k8s.io/v1beta1
kind: Kustomization
resources:
END
    printf -- '- %s\n' "$@" >>"$file"
}
kustomization crd celeryproject.org_celeries.yaml
kustomization manager manager.yaml
kustomization rbac rbac.yaml
kustomization webhook webhooks.yaml
kustomization default namespace.yaml ../crd ../rbac ../manager ../webhook

charts=$folder/charts
mkdir -p "$charts/celery-operator-crds/files" "$charts/celery-operator/files"
cp "$config/crd/celeryproject.org_celeries.yaml" "$charts/celery-operator-crds/files/"
"$binaries/charts" "$folder"
here=$(dirname "$0")/..
for file in prometheus/rules.yaml grafana/celery-operator.json; do
    if [ -f "$here/config/$file" ]; then
        cp "$here/config/$file" "$charts/celery-operator/files/"
    fi
done
