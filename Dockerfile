# SPDX-License-Identifier: Apache-2.0
# The operator: one static program in an empty root file system. `docker buildx build --platform linux/amd64,linux/arm64 .`
# makes it for both; `make image` makes the same without Docker, for this machine's architecture.

# Compiled on the builder's own architecture, whichever is asked for: rustc crosses in minutes what an emulator compiles
# in an hour.
FROM --platform=$BUILDPLATFORM rust:1.95-bookworm AS build
ARG TARGETARCH
# Linker and C library of the other architecture. Both are installed always, so that the layer is one and the same.
RUN apt-get update && apt-get install --yes --no-install-recommends \
        gcc-aarch64-linux-gnu libc6-dev-arm64-cross gcc-x86-64-linux-gnu libc6-dev-amd64-cross \
    && rm -rf /var/lib/apt/lists/*
WORKDIR /source
COPY . .
# The C library is linked in, since there is none in the image: for gnu and not musl, whose allocator is slow with threads.
ENV RUSTFLAGS="-C target-feature=+crt-static" \
    CARGO_TARGET_X86_64_UNKNOWN_LINUX_GNU_LINKER=x86_64-linux-gnu-gcc \
    CARGO_TARGET_AARCH64_UNKNOWN_LINUX_GNU_LINKER=aarch64-linux-gnu-gcc
RUN case "$TARGETARCH" in \
        amd64) target=x86_64-unknown-linux-gnu ;; \
        arm64) target=aarch64-unknown-linux-gnu ;; \
        *) echo "no target for $TARGETARCH" >&2; exit 1 ;; \
    esac \
    && rustup target add "$target" \
    && cargo build --locked --release --target "$target" --package celery-operator \
    && cp "target/$target/release/celery-operator" /celery-operator

# No shell, no package, no authorities: whoever gets in finds nothing, and the only server it calls is the API server,
# whose authority comes with the service account.
FROM scratch
COPY --from=build /celery-operator /celery-operator
# By number: Kubernetes cannot tell from a name that it is not root.
USER 65532:65532
ENTRYPOINT ["/celery-operator"]
CMD ["run"]
