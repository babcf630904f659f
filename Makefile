# SPDX-License-Identifier: Apache-2.0
# Everything one can do here; `make` lists it.

CARGO ?= cargo
CACHE := $(or $(XDG_CACHE_HOME),$(HOME)/.cache)/celery-operator
DENY  := $(CACHE)/tools/bin/cargo-deny
# One version for everybody: another one may find something else.
DENY_VERSION := 0.20.2

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
test: ## Every test that needs no node
	$(CARGO) test --locked --workspace

.PHONY: lint
lint: fmt-check clippy deny generated ## Formatting, lints, licences, generated files

.PHONY: fmt-check
fmt-check: ## Whether the sources are formatted
	$(CARGO) fmt --all --check

.PHONY: clippy
clippy: ## Lints, warnings are errors
	$(CARGO) clippy --locked --workspace --all-targets -- -D warnings

.PHONY: deny
deny: $(DENY) ## Licences, sources and duplicate dependencies
	$(DENY) --locked check bans licenses sources

$(DENY):
	@echo "installing cargo-deny $(DENY_VERSION), about five minutes, once per machine"
	$(CARGO) install --locked --quiet --root $(CACHE)/tools cargo-deny@$(DENY_VERSION)

.PHONY: fuzz
fuzz: ## Random input for a minute a target, on the stable toolchain; FUZZ_SECONDS=600 for longer
	hack/fuzz/run.sh $(or $(FUZZ_SECONDS),60)

##@ Generated files

.PHONY: generate
generate: ## Write what Rust is the source of into config/
	$(CARGO) build --locked -q
	hack/generate.sh config

.PHONY: generated
generated: ## Whether config/ is what Rust says
	$(CARGO) build --locked -q
	@folder=$$(mktemp -d) && trap 'rm -rf "$$folder"' EXIT && hack/generate.sh "$$folder" && \
	for part in $$(ls "$$folder"); do \
		diff -ru "config/$$part" "$$folder/$$part" || { echo "config/$$part is stale: make generate" >&2; exit 1; }; \
	done

##@ Help

.PHONY: help
help: ## This list
	@awk 'BEGIN {FS = ":.*## "} /^##@ / {printf "\n%s\n", substr($$0, 5)} /^[a-z-]+:.*## / {printf "  %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)
