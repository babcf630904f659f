// SPDX-License-Identifier: Apache-2.0
//! Where Flower and beat keep what outlives their pods.

use k8s_openapi::api::core::v1::{PersistentVolumeClaimVolumeSource, Volume, VolumeMount};
use k8s_openapi::apimachinery::pkg::api::resource::Quantity;

use crate::api::{BEAT_FOLDER, BeatPersistence, FLOWER_FOLDER, FlowerPersistence};
use crate::effective;
use crate::names;

/// Size of a new claim when nobody says another.
const SIZE: &str = "1Gi";
/// Name of Flower's history: the one Flower itself would give it.
const FLOWER_FILE: &str = "flower";
/// Name of beat's schedule: the one beat itself would give it.
const BEAT_FILE: &str = "celerybeat-schedule";

/// Where a component keeps what outlives its pod.
#[derive(Clone, Debug, PartialEq)]
pub struct Storage {
    /// Name of the claim.
    pub claim: String,
    /// What is to be made; `None` for a claim that is there.
    pub new: Option<NewClaim>,
    /// Folder of the volume in the container.
    pub folder: String,
    /// The file on it.
    pub file: String,
}

/// A claim that the operator makes.
#[derive(Clone, Debug, PartialEq)]
pub struct NewClaim {
    /// Its size.
    pub size: Quantity,
    /// Its storage class; the cluster's default otherwise.
    pub storage_class: Option<String>,
    /// Whether it stays when the Celery goes.
    pub retain: bool,
}

impl Storage {
    /// The volume and where it appears.
    pub(super) fn volume(&self) -> (Volume, VolumeMount) {
        let name = names::DATA_VOLUME.to_owned();
        let claim = PersistentVolumeClaimVolumeSource { claim_name: self.claim.clone(), read_only: None };
        let mount =
            VolumeMount { name: name.clone(), mount_path: self.folder.clone(), ..VolumeMount::default() };
        (Volume { name, persistent_volume_claim: Some(claim), ..Volume::default() }, mount)
    }
}

/// The storage of Flower's history.
pub(super) fn flower(written: &FlowerPersistence, app: &str) -> Storage {
    let folder = written.path.as_deref().unwrap_or(FLOWER_FOLDER);
    let FlowerPersistence { existing_claim, size, storage_class, retain, .. } = written;
    Storage {
        file: format!("{}/{FLOWER_FILE}", folder.trim_end_matches('/')),
        folder: folder.to_owned(),
        new: existing_claim.is_none().then(|| new(size.as_ref(), storage_class.as_ref(), *retain)),
        claim: existing_claim.clone().unwrap_or_else(|| names::flower(app)),
    }
}

/// The storage of beat's schedule.
pub(super) fn beat(beat: &effective::Beat<'_>, app: &str) -> Option<Storage> {
    let BeatPersistence { existing_claim, size, storage_class, retain } = beat.beat.persistence.as_ref()?;
    let file = beat.written_file().map(|written| written.text.to_owned());
    Some(Storage {
        file: file.unwrap_or_else(|| format!("{BEAT_FOLDER}/{BEAT_FILE}")),
        folder: BEAT_FOLDER.to_owned(),
        new: existing_claim.is_none().then(|| new(size.as_ref(), storage_class.as_ref(), *retain)),
        claim: existing_claim.clone().unwrap_or_else(|| names::beat(app)),
    })
}

fn new(size: Option<&Quantity>, storage_class: Option<&String>, retain: Option<bool>) -> NewClaim {
    NewClaim {
        size: size.cloned().unwrap_or_else(|| Quantity(SIZE.to_owned())),
        storage_class: storage_class.cloned(),
        retain: retain.unwrap_or(true),
    }
}
