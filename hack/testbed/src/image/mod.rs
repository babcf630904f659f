// SPDX-License-Identifier: Apache-2.0
//! Images without a registry: written as one archive that `ctr`, `docker load` and `podman load` take.
//!
//! The archive is an OCI image layout with the list beside it that older readers look for. Everything in it follows from
//! the input: no time, no host name, no order of a folder gets in, so that the same files make the same image.

mod archive;
mod layer;

use std::path::Path;

use serde_json::{Value, json};

use crate::Error;

pub use layer::{Entry, Layer};

/// What an image says about itself and holds.
#[derive(Debug, Clone)]
pub struct Image {
    /// Names with tags, in full: `docker.io/library/shop:1.0`. The first is told in messages.
    pub names: Vec<String>,
    /// How it is run.
    pub config: Config,
    /// From the bottom to the top.
    pub layers: Vec<Layer>,
    /// What its programs run on, as images call it: see [`architecture`].
    pub architecture: &'static str,
}

/// How the container of an image is run when nobody says otherwise.
#[derive(Debug, Clone, Default)]
pub struct Config {
    /// Program and arguments that stay.
    pub entrypoint: Vec<String>,
    /// Arguments that others may replace.
    pub command: Vec<String>,
    /// `NAME=value` each.
    pub env: Vec<String>,
    /// Numbers of user and group, `65532:65532`; empty: root.
    pub user: String,
    /// Where it starts; empty: `/`.
    pub folder: String,
}

impl Image {
    /// Writes the archive.
    ///
    /// # Errors
    /// When a layer cannot be read or the archive not be written.
    pub fn write(&self, to: &Path) -> Result<(), Error> {
        archive::write(self, to).map_err(|error| Error::Image {
            image: self.names.first().cloned().unwrap_or_default(),
            said: error.to_string(),
        })
    }

    /// The configuration as the image specification has it.
    fn config(&self) -> Value {
        let config = &self.config;
        let mut run = json!({});
        for (key, list) in
            [("Entrypoint", &config.entrypoint), ("Cmd", &config.command), ("Env", &config.env)]
        {
            if !list.is_empty() {
                run[key] = json!(list);
            }
        }
        for (key, text) in [("User", &config.user), ("WorkingDir", &config.folder)] {
            if !text.is_empty() {
                run[key] = json!(text);
            }
        }
        let layers: Vec<String> = self.layers.iter().map(Layer::digest).collect();
        json!({
            "architecture": self.architecture,
            "os": "linux",
            "config": run,
            "rootfs": { "type": "layers", "diff_ids": layers },
        })
    }
}

/// This machine's architecture, as images call it.
#[must_use]
pub fn architecture() -> &'static str {
    match std::env::consts::ARCH {
        "x86_64" => "amd64",
        "aarch64" => "arm64",
        other => other,
    }
}

/// Writes the image of the first container of every pod, made of a busybox without libraries: it waits, collects what
/// ends, and brings a shell and small programs for whoever wants to try something in a pod.
pub(crate) fn pause(name: &str, busybox: &Path, to: &Path) -> Result<(), Error> {
    let failed = |error: std::io::Error| Error::Image { image: name.to_owned(), said: error.to_string() };
    let layer = Layer::of_entries(
        &[Entry::folder("bin"), Entry::file("bin/busybox", 0o755, busybox)],
        &to.with_extension("layer"),
    )
    .map_err(failed)?;
    let wait = "trap 'exit 0' TERM INT; while :; do busybox sleep 2147483647 & wait; done";
    let config = Config {
        entrypoint: ["/bin/busybox", "sh", "-c", wait].map(str::to_owned).to_vec(),
        env: vec!["PATH=/bin".to_owned()],
        user: "65535:65535".to_owned(),
        ..Config::default()
    };
    Image { names: vec![name.to_owned()], config, layers: vec![layer], architecture: architecture() }
        .write(to)
}
