// SPDX-License-Identifier: Apache-2.0
//! Flower's options as words and variables. Tornado takes the last of two words, so what the user's arguments say wins
//! by standing behind; what is secret is never a word.

use k8s_openapi::api::core::v1::{SecretVolumeSource, Volume, VolumeMount};

use super::Storage;
use super::pod::{Made, from_reference, literal};
use super::said::SaidToFlower;
use crate::api::{FlowerAuth, FlowerSpec, FlowerTls, OAuth, OAuthProvider};
use crate::celery::flower;
use crate::names;

/// Tasks and workers to remember, and seconds until one that is gone is forgotten: Flower's own 100,000 tasks take half
/// a gigabyte, and pods that were scaled in would be listed for ever.
const MAX_TASKS: i32 = 20_000;
const MAX_WORKERS: i32 = 5_000;
const PURGE_SECONDS: i32 = 300;
/// Seconds between two writes of the history; by itself Flower writes it at its end only.
const SAVE_SECONDS: i32 = 60;
/// Where the certificate is.
pub const TLS_FOLDER: &str = "/etc/celery-operator/flower-tls";

/// The options before the user's arguments.
pub(super) fn words(written: &FlowerSpec, said: &SaidToFlower<'_>, storage: Option<&Storage>) -> Vec<String> {
    let mut words = Vec::new();
    let mut word = |name: &str, value: Option<String>| {
        words.extend(value.filter(|_| !said.option(name)).map(|value| format!("--{name}={value}")));
    };
    let or = |number: Option<i32>, name: &str, default: i32| {
        let default = (!said.option_or_variable(name)).then_some(default);
        number.or(default).map(|number| number.to_string())
    };
    let truth = |value: Option<bool>| value.map(|value| if value { "True" } else { "False" }.to_owned());
    let prefix = written.url_prefix.as_deref().map(flower::prefix);
    word("url_prefix", prefix.filter(|prefix| !prefix.is_empty()).map(str::to_owned));
    word("max_tasks", or(written.max_tasks, "max_tasks", MAX_TASKS));
    word("max_workers", or(written.max_workers, "max_workers", MAX_WORKERS));
    let purge = or(written.purge_offline_workers_seconds, "purge_offline_workers", PURGE_SECONDS);
    word("purge_offline_workers", purge);
    word("read_only", truth(written.read_only));
    word("natural_time", truth(written.natural_time));
    word("inspect_timeout", written.inspect_timeout_ms.map(|milliseconds| milliseconds.to_string()));
    word("tasks_columns", written.tasks_columns.clone());
    let behind_a_proxy = written.ingress.is_some() && !said.option_or_variable("xheaders");
    word("xheaders", truth(written.xheaders.or(behind_a_proxy.then_some(true))));
    if let Some(oauth) = written.auth.as_ref().and_then(|auth| auth.oauth.as_ref()) {
        word("auth", (!oauth.emails.is_empty()).then(|| oauth.emails.join("|")));
        word("auth_provider", oauth.provider.known().map(|provider| login_handler(provider).to_owned()));
    }
    if written.tls.is_some() {
        word("certfile", Some(format!("{TLS_FOLDER}/tls.crt")));
        word("keyfile", Some(format!("{TLS_FOLDER}/tls.key")));
    }
    if let Some(storage) = storage {
        let seconds = written.persistence.as_ref().and_then(|it| it.save_interval_seconds);
        word("persistent", truth(Some(true)));
        word("db", Some(storage.file.clone()));
        word("state_save_interval", Some((i64::from(seconds.unwrap_or(SAVE_SECONDS)) * 1000).to_string()));
    }
    words
}

/// The class in Flower that talks to a provider.
fn login_handler(provider: OAuthProvider) -> &'static str {
    match provider {
        OAuthProvider::Google => "flower.views.auth.GoogleAuth2LoginHandler",
        OAuthProvider::GitHub => "flower.views.auth.GithubLoginHandler",
        OAuthProvider::GitLab => "flower.views.auth.GitLabLoginHandler",
        OAuthProvider::Okta => "flower.views.auth.OktaLoginHandler",
    }
}

/// What the fields need of the pod.
pub(super) fn made(written: &FlowerSpec) -> Made {
    let mut made = Made::default();
    match &written.auth {
        Some(FlowerAuth { basic: Some(basic), .. }) => {
            made.env.push(from_reference("FLOWER_BASIC_AUTH", &basic.secret_ref));
        }
        Some(FlowerAuth {
            oauth: Some(OAuth { key_secret_ref, secret_secret_ref, redirect_uri, cookie_secret_ref, .. }),
            ..
        }) => {
            let secrets = [
                ("FLOWER_OAUTH2_KEY", key_secret_ref),
                ("FLOWER_OAUTH2_SECRET", secret_secret_ref),
                ("FLOWER_COOKIE_SECRET", cookie_secret_ref),
            ];
            made.env.extend(
                secrets
                    .iter()
                    .filter_map(|(name, reference)| Some(from_reference(name, reference.as_ref()?))),
            );
            made.env.extend(redirect_uri.iter().map(|uri| literal("FLOWER_OAUTH2_REDIRECT_URI", uri)));
        }
        _ => {}
    }
    made.env.extend(
        written.broker_api_secret_ref.iter().map(|reference| from_reference("FLOWER_BROKER_API", reference)),
    );
    if let Some(open) = written.unauthenticated_api {
        made.env.push(literal("FLOWER_UNAUTHENTICATED_API", if open { "true" } else { "false" }));
    }
    made.volumes.extend(written.tls.iter().map(certificate));
    made
}

fn certificate(tls: &FlowerTls) -> (Volume, VolumeMount) {
    let name = names::FLOWER_TLS_VOLUME.to_owned();
    let secret =
        SecretVolumeSource { secret_name: Some(tls.secret_name.clone()), ..SecretVolumeSource::default() };
    let mount = VolumeMount {
        name: name.clone(),
        mount_path: TLS_FOLDER.to_owned(),
        read_only: Some(true),
        ..VolumeMount::default()
    };
    (Volume { name, secret: Some(secret), ..Volume::default() }, mount)
}
