#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Builds the fuzz targets with coverage for libFuzzer, on the stable toolchain, and runs each for a while. A crash ends
# it with the input in hack/fuzz/target/crashes.
set -eu
seconds=${1:-60}
cd "$(dirname "$0")"
host=$(rustc -vV | sed -n 's/^host: //p')
# What cargo-fuzz passes too; --target keeps the flags away from build scripts and procedural macros.
RUSTFLAGS="--cfg fuzzing -Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4 \
-Cllvm-args=-sanitizer-coverage-inline-8bit-counters -Cllvm-args=-sanitizer-coverage-pc-table \
-Cllvm-args=-sanitizer-coverage-trace-compares -Clink-dead-code" \
CARGO_TARGET_DIR=target cargo build --locked --release --target "$host" --bin review --bin command_line
cargo run --locked --quiet --manifest-path ../../Cargo.toml --example fuzz_seeds -- target/corpus
mkdir -p target/crashes
for name in review command_line; do
	echo "fuzzing $name for $seconds s"
	"target/$host/release/$name" -max_total_time="$seconds" -max_len=4096 -timeout=5 -rss_limit_mb=2048 \
		-print_final_stats=1 -verbosity=0 -artifact_prefix="target/crashes/$name-" "target/corpus/$name" </dev/null
done
