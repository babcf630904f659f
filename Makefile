# SPDX-License-Identifier: Apache-2.0
# Everything one can do here; `make` lists it.

CARGO ?= cargo
CACHE := $(or $(XDG_CACHE_HOME),$(HOME)/.cache)/celery-operator
DENY  := $(CACHE)/tools/bin/cargo-deny
# One version for everybody: another one may find something else.
DENY_VERSION := 0.20.2
MUTANTS := $(CACHE)/tools/bin/cargo-mutants
MUTANTS_VERSION := 27.1.0

.DEFAULT_GOAL := help

##@ Try

.PHONY: run
run: ## A local Kubernetes with the operator, and a tour of what it does; ONCE=1 ends after the tour
	$(CARGO) build --locked -p celery-operator -p tour
	$(CARGO) run --locked -q -p tour

##@ Build and test

.PHONY: build
build: ## The operator, optimised
	$(CARGO) build --locked --release

.PHONY: test
test: ## Every test that needs no node; real Celery judges where python3 has pip, CELERY_JUDGE=required insists
	$(CARGO) test --locked --workspace

.PHONY: test-availability
test-availability: ## Admissions while replicas, certificates and connections fail, into docs/reliability/; ONLY=name, PART=10 for a tenth
	$(CARGO) build --locked --release -p celery-operator -p availability
	$(CARGO) run --locked --release -q -p availability

.PHONY: judge
judge: ## Real Celery, every supported release, on what it makes of arguments, URLs and settings
	CELERY_JUDGE=required $(CARGO) test --locked --test celery

.PHONY: judge-manifests
judge-manifests: ## kubeconform, kube-score and KEDA's own webhooks on golden files, charts and config/; builds them once, six minutes
	$(CARGO) run --locked -q -p judges

.PHONY: alerts
alerts: ## promtool on alerts and dashboard, Grafana's models on the dashboard; Debian has promtool in its package prometheus
	ALERTS_JUDGE=required CELERY_JUDGE=required $(CARGO) test --locked --test alerts

.PHONY: judge-gitops
judge-gitops: ## Argo CD's and Flux's own code on what they make of samples, scaling, health; built once, two minutes
	$(CARGO) test --locked --test cluster gitops

HOST := $(shell uname -m)
ARCH ?= $(HOST)
# A program that needs no libraries, as its image has none.
STATIC := $(or $(CARGO_TARGET_DIR),target)/$(ARCH)-unknown-linux-gnu/release/celery-operator
CROSS := $(if $(filter-out $(HOST),$(ARCH)),\
	CARGO_TARGET_$(shell echo $(ARCH) | tr a-z A-Z)_UNKNOWN_LINUX_GNU_LINKER=$(ARCH)-linux-gnu-gcc)

.PHONY: static
static:
	$(if $(CROSS),rustup target add $(ARCH)-unknown-linux-gnu)
	RUSTFLAGS='-C target-feature=+crt-static' $(CROSS) $(CARGO) build --locked --release -p celery-operator \
		--target $(ARCH)-unknown-linux-gnu

.PHONY: image
image: static ## The operator's image as target/celery-operator.tar, for `docker load` and others, without Docker; ARCH=aarch64 crosses
	OPERATOR=$(STATIC) $(CARGO) run --locked -q -p e2e -- image target/celery-operator.tar

.PHONY: e2e
e2e: static ## The operator and real Celery as pods on a real node of this machine, as root; ONLY=name, tells the packages it needs
	$(if $(ONLY),,$(CARGO) test --locked -p testbed --test node)
	OPERATOR=$(STATIC) $(CARGO) run --locked -q -p e2e

.PHONY: bench-lint
bench-lint: build ## How long lint takes for a thousand objects
	hack/lint-bench.sh 1000

.PHONY: bench
bench: ## The operator against a bare client, into docs/benchmarks/; N=1000 objects, QUICK=1 for a few minutes
	$(CARGO) build --locked --release -p celery-operator -p bench
	$(CARGO) run --locked --release -q -p bench

.PHONY: lint
lint: fmt-check clippy doc deny generated ## Formatting, lints, links of the documentation, licences, generated files

.PHONY: fmt-check
fmt-check: ## Whether the sources are formatted
	$(CARGO) fmt --all --check

.PHONY: clippy
clippy: ## Lints, warnings are errors
	$(CARGO) clippy --locked --workspace --all-targets -- -D warnings
	$(CARGO) clippy --locked -p webhook-certs -- -D warnings # with no features but its own
	$(CARGO) clippy --locked --manifest-path hack/fuzz/Cargo.toml --target-dir target -- -D warnings

.PHONY: doc
doc: ## Whether what the sources say of each other leads somewhere
	$(CARGO) doc --locked --no-deps --workspace --document-private-items --quiet

.PHONY: deny
deny: $(DENY) ## Licences, sources and duplicate dependencies
	$(DENY) --locked check bans licenses sources

$(DENY):
	@echo "installing cargo-deny $(DENY_VERSION), about five minutes, once per machine"
	$(CARGO) install --locked --quiet --root $(CACHE)/tools cargo-deny@$(DENY_VERSION)

.PHONY: fuzz
fuzz: ## Random input for a minute a target, on the stable toolchain; FUZZ_SECONDS=600 for longer
	hack/fuzz/run.sh $(or $(FUZZ_SECONDS),60)

.PHONY: mutants
mutants: $(MUTANTS) ## Whether the tests notice small changes of build, status and rules; SHARD=3/100 for 45 of them, a minute or two each on two cores
	nice -n 15 $(MUTANTS) mutants --package celery-operator --jobs 1 --output target $(if $(SHARD),--shard $(SHARD))

$(MUTANTS):
	@echo "installing cargo-mutants $(MUTANTS_VERSION), about three minutes, once per machine"
	nice -n 15 $(CARGO) install --locked --quiet --root $(CACHE)/tools cargo-mutants@$(MUTANTS_VERSION)

##@ Generated files

.PHONY: generate
generate: ## Write what Rust is the source of into config/, charts/ and docs/reference/
	$(CARGO) build --locked -q -p celery-operator -p charts -p reference
	hack/generate.sh .

.PHONY: generated
generated: ## Whether config/, charts/ and docs/reference/ are what Rust says
	$(CARGO) build --locked -q -p celery-operator -p charts -p reference
	@folder=$$(mktemp -d) && trap 'rm -rf "$$folder"' EXIT && hack/generate.sh "$$folder" && \
	for part in $$(cd "$$folder" && ls -d config/* docs/* && find charts -type f); do \
		diff -ru "$$part" "$$folder/$$part" || { echo "$$part is stale: make generate" >&2; exit 1; }; \
	done

##@ Help

.PHONY: help
help: ## This list
	@awk 'BEGIN {FS = ":.*## "} /^##@ / {printf "\n%s\n", substr($$0, 5)} /^[a-z0-9-]+:.*## / {printf "  %-17s %s\n", $$1, $$2}' $(MAKEFILE_LIST)
