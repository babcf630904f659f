// SPDX-License-Identifier: Apache-2.0
//! The archive of an image: blobs under their digests, and two lists that lead to them.

use std::io::{self, BufWriter, Write};
use std::path::Path;

use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use tar::{Builder, EntryType};

use super::Image;
use super::layer::{append_bytes, create, hex, open};

const CONFIG: &str = "application/vnd.oci.image.config.v1+json";
const LAYER: &str = "application/vnd.oci.image.layer.v1.tar";
const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
const INDEX: &str = "application/vnd.oci.image.index.v1+json";

/// A blob of JSON.
struct Document {
    sha256: String,
    text: String,
}

impl Document {
    fn new(value: &Value) -> Self {
        let text = value.to_string();
        Self { sha256: hex(&Sha256::digest(&text)), text }
    }

    /// How another document refers to it.
    fn reference(&self, media_type: &str) -> Value {
        json!({ "mediaType": media_type, "digest": format!("sha256:{}", self.sha256), "size": self.text.len() })
    }
}

pub(super) fn write(image: &Image, to: &Path) -> io::Result<()> {
    let mut archive = Builder::new(BufWriter::new(create(to)?));
    let config = Document::new(&image.config());
    let layers: Vec<Value> = image
        .layers
        .iter()
        .map(|layer| json!({ "mediaType": LAYER, "digest": layer.digest(), "size": layer.size }))
        .collect();
    let manifest = Document::new(&json!({
        "schemaVersion": 2, "mediaType": MANIFEST, "config": config.reference(CONFIG), "layers": layers,
    }));
    text(&mut archive, "oci-layout", r#"{"imageLayoutVersion":"1.0.0"}"#)?;
    text(&mut archive, "index.json", &index(image, &manifest).to_string())?;
    text(&mut archive, "manifest.json", &list(image, &config).to_string())?;
    for document in [&config, &manifest] {
        text(&mut archive, &blob(&document.sha256), &document.text)?;
    }
    for layer in &image.layers {
        let kind = EntryType::Regular;
        append_bytes(&mut archive, (&blob(&layer.sha256), 0o644, kind), layer.size, open(&layer.file)?)?;
    }
    archive.into_inner()?.flush()
}

/// What readers of the OCI layout begin with: every name leads to the same manifest.
fn index(image: &Image, manifest: &Document) -> Value {
    let manifests: Vec<Value> = image
        .names
        .iter()
        .map(|name| {
            let mut reference = manifest.reference(MANIFEST);
            reference["annotations"] = json!({
                "io.containerd.image.name": name,
                "org.opencontainers.image.ref.name": tag(name),
            });
            reference
        })
        .collect();
    json!({ "schemaVersion": 2, "mediaType": INDEX, "manifests": manifests })
}

/// What `docker load` has begun with for longer.
fn list(image: &Image, config: &Document) -> Value {
    let layers: Vec<String> = image.layers.iter().map(|layer| blob(&layer.sha256)).collect();
    json!([{ "Config": blob(&config.sha256), "RepoTags": image.names, "Layers": layers }])
}

/// `1.0` of `docker.io/library/shop:1.0`. A port of a registry is no tag.
fn tag(name: &str) -> &str {
    match name.rsplit_once(':') {
        Some((_, tag)) if !tag.contains('/') => tag,
        _ => "latest",
    }
}

fn blob(sha256: &str) -> String {
    format!("blobs/sha256/{sha256}")
}

fn text(archive: &mut Builder<impl Write>, path: &str, text: &str) -> io::Result<()> {
    let size = u64::try_from(text.len()).map_err(io::Error::other)?;
    append_bytes(archive, (path, 0o644, EntryType::Regular), size, text.as_bytes())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::collections::BTreeMap;
    use std::fs::{self, File};
    use std::io::Read as _;

    use tempfile::TempDir;

    use super::super::{Config, Entry, Layer};
    use super::*;

    /// Every file of an archive and what it holds.
    fn files(archive: &Path) -> BTreeMap<String, Vec<u8>> {
        let mut archive = tar::Archive::new(File::open(archive).unwrap());
        archive
            .entries()
            .unwrap()
            .map(|entry| {
                let mut entry = entry.unwrap();
                let mut content = Vec::new();
                entry.read_to_end(&mut content).unwrap();
                (entry.path().unwrap().display().to_string(), content)
            })
            .collect()
    }

    #[test]
    fn every_reference_leads_to_a_blob_of_that_digest_and_size() {
        let dir = TempDir::new().unwrap();
        let program = dir.path().join("program");
        fs::write(&program, "echo").unwrap();
        let entries = [Entry::file("program", 0o755, &program)];
        let layer = Layer::of_entries(&entries, &dir.path().join("layer")).unwrap();
        let names = ["docker.io/library/shop:1.0", "docker.io/library/shop:1.1"];
        let image = Image {
            names: names.map(str::to_owned).to_vec(),
            config: Config { entrypoint: vec!["/program".to_owned()], ..Config::default() },
            layers: vec![layer],
            architecture: "arm64",
        };
        let archive = dir.path().join("image.tar");
        image.write(&archive).unwrap();

        let files = files(&archive);
        let json = |path: &str| -> Value { serde_json::from_slice(&files[path]).unwrap() };
        for (path, content) in files.iter().filter(|(path, _)| path.starts_with("blobs/")) {
            assert_eq!(*path, blob(&hex(&Sha256::digest(content))));
        }
        let follow = |reference: &Value| {
            let digest = reference["digest"].as_str().unwrap();
            let path = blob(digest.strip_prefix("sha256:").unwrap());
            assert_eq!(reference["size"], files[&path].len());
            path
        };
        let index = json("index.json");
        assert_eq!(index["manifests"].as_array().unwrap().len(), 2);
        assert_eq!(index["manifests"][1]["annotations"]["io.containerd.image.name"], names[1]);
        let manifest = json(&follow(&index["manifests"][0]));
        let config = json(&follow(&manifest["config"]));
        assert_eq!(config["config"]["Entrypoint"][0], "/program");
        assert_eq!(config["rootfs"]["diff_ids"][0], manifest["layers"][0]["digest"]);
        let layer = follow(&manifest["layers"][0]);
        assert_eq!(json("manifest.json")[0]["Layers"][0], layer.as_str());
        assert_eq!(json("manifest.json")[0]["RepoTags"][1], names[1]);
    }

    #[test]
    fn a_port_is_no_tag() {
        assert_eq!(tag("registry.example.com:5000/shop"), "latest");
        assert_eq!(tag("registry.example.com:5000/shop:1.0"), "1.0");
    }
}
