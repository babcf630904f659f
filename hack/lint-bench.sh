#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# How long `lint` takes for many documents in one file: lint-bench.sh [DOCUMENTS], with the optimised binary.
set -eu
documents=${1:-1000}
operator=${CARGO_TARGET_DIR:-target}/release/celery-operator
file=$(mktemp) && trap 'rm -f "$file"' EXIT
sample=$(dirname "$0")/../config/samples/everything.yaml
awk -v documents="$documents" '
    { text = text $0 "\n" }
    END { for (i = 0; i < documents; i++) { one = text; sub(/\n  name: /, "&d" i "-", one); sub(/appName: /, "&d" i "-", one); printf "---\n%s", one } }
' "$sample" >"$file"
bytes=$(wc -c <"$file")
start=$(date +%s%N)
"$operator" lint "$file" >/dev/null || [ $? -eq 1 ]
echo "$documents documents, $bytes bytes: $(( ($(date +%s%N) - start) / 1000000 )) ms"
