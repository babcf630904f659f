#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Writes the manifests that Rust is the source of into a folder.
set -eu
folder=$1
operator=${CARGO_TARGET_DIR:-target}/debug/celery-operator
mkdir -p "$folder/crd" "$folder/rbac" "$folder/webhook"
"$operator" crd >"$folder/crd/celeryproject.org_celeries.yaml"
"$operator" manifests rbac >"$folder/rbac/rbac.yaml"
"$operator" manifests webhooks >"$folder/webhook/webhooks.yaml"
