#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Writes what Rust is the source of into a folder: manifests below config, the reference below docs.
set -eu
folder=$1
binaries=${CARGO_TARGET_DIR:-target}/debug
operator=$binaries/celery-operator
mkdir -p "$folder/config/crd" "$folder/config/rbac" "$folder/config/webhook" "$folder/docs/reference"
"$operator" crd >"$folder/config/crd/celeryproject.org_celeries.yaml"
"$operator" manifests rbac >"$folder/config/rbac/rbac.yaml"
"$operator" manifests webhooks >"$folder/config/webhook/webhooks.yaml"
"$binaries/reference" "$folder/docs/reference"
