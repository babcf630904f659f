// SPDX-License-Identifier: Apache-2.0
//! The loop against a real API server that calls a real webhook on this machine, with `failurePolicy: Fail` and to
//! convert objects, so that every gap is a failed request.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stdout)]

use std::collections::BTreeSet;
use std::net::TcpListener;
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::Json;
use axum::routing::post;
use k8s_openapi::api::admissionregistration::v1::ValidatingWebhookConfiguration;
use k8s_openapi::api::core::v1::{ConfigMap, Namespace, Secret};
use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;
use kube::api::{DeleteParams, DynamicObject, Patch, PatchParams, PostParams};
use kube::config::{KubeConfigOptions, Kubeconfig};
use kube::{Api, Client};
use serde_json::{Value, json};
use testbed::{ControlPlane, Options};
use webhook_certs::{Config, Issuing, Keeper, Lifetimes, Names, SecretRef, Target, server_config};

const NAME: &str = "webhook-certs-test";

/// Puts an object that a JSON value describes, replacing one of a former run.
async fn fresh<K>(api: &Api<K>, value: Value)
where
    K: kube::Resource + Clone + std::fmt::Debug + serde::Serialize + serde::de::DeserializeOwned,
{
    drop(api.delete(NAME, &DeleteParams::default()).await);
    api.create(&PostParams::default(), &serde_json::from_value(value).unwrap()).await.unwrap();
}

/// Answers every review with yes, over TLS.
///
/// One request per connection, so that each admission is a handshake verified with the bundle of the moment; API
/// servers would otherwise keep one HTTP/2 connection for as long as the bundle stays the same.
async fn webhook(listener: TcpListener, mut tls: rustls::ServerConfig) {
    tls.alpn_protocols = vec![b"http/1.1".to_vec()];
    let allow = |Json(review): Json<Value>| async move {
        let answer = json!({"uid": review["request"]["uid"], "allowed": true});
        let review =
            json!({"apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview", "response": answer});
        ([(http::header::CONNECTION, "close")], Json(review))
    };
    let router = axum::Router::new().route("/", post(allow)).route("/convert", post(convert));
    let tls = axum_server::tls_rustls::RustlsConfig::from_config(Arc::new(tls));
    let server = axum_server::from_tcp_rustls(listener, tls).unwrap();
    server.serve(router.into_make_service()).await.unwrap();
}

/// Answers a conversion: nothing but the version differs.
async fn convert(Json(review): Json<Value>) -> impl axum::response::IntoResponse {
    let request = &review["request"];
    let mut objects = request["objects"].clone();
    for object in objects.as_array_mut().unwrap() {
        object["apiVersion"] = request["desiredAPIVersion"].clone();
    }
    let answer = json!({"uid": request["uid"], "convertedObjects": objects, "result": {"status": "Success"}});
    let review = json!({"apiVersion": review["apiVersion"], "kind": "ConversionReview", "response": answer});
    ([(http::header::CONNECTION, "close")], Json(review))
}

/// One request that the webhook must allow.
async fn admit(api: &Api<ConfigMap>) -> Result<(), kube::Error> {
    let dry = PostParams { dry_run: true, ..PostParams::default() };
    let map = ConfigMap {
        metadata: kube::core::ObjectMeta { generate_name: Some("x-".into()), ..Default::default() },
        ..ConfigMap::default()
    };
    api.create(&dry, &map).await.map(drop)
}

/// How long until a request is admitted, at most 10 s.
async fn healed(api: &Api<ConfigMap>) -> Duration {
    let start = Instant::now();
    while let Err(error) = admit(api).await {
        assert!(start.elapsed() < Duration::from_secs(10), "{error}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    start.elapsed()
}

type Published = tokio::sync::watch::Receiver<Option<webhook_certs::Published>>;
type Configurations = Api<ValidatingWebhookConfiguration>;
type Definitions = Api<CustomResourceDefinition>;

/// The definition whose objects are converted.
const DEFINITION: &str = "things.example.org";

/// Two versions of one kind that nothing but the strategy lies between.
fn definition() -> Value {
    let version = |name: &str, storage: bool| {
        let schema = json!({"openAPIV3Schema": {"type": "object"}});
        json!({"name": name, "served": true, "storage": storage, "schema": schema})
    };
    json!({"apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
    "metadata": {"name": DEFINITION}, "spec": {
        "group": "example.org", "scope": "Cluster",
        "names": {"kind": "Thing", "plural": "things", "singular": "thing", "listKind": "ThingList"},
        "versions": [version("v1", true), version("v2", false)],
        "conversion": {"strategy": "None"},
    }})
}

/// Changes how objects are converted, and by nothing more.
async fn convert_by(definitions: &Definitions, conversion: Value) {
    let patch = Patch::Merge(json!({"spec": {"conversion": conversion}}));
    definitions.patch(DEFINITION, &PatchParams::default(), &patch).await.unwrap();
}

/// What the conversion webhook carries.
async fn carried(definitions: &Definitions) -> Option<String> {
    let conversion = definitions.get(DEFINITION).await.unwrap().spec.conversion.unwrap();
    let bundle = conversion.webhook?.client_config?.ca_bundle?;
    Some(String::from_utf8(bundle.0).unwrap())
}

/// A definition that begins to convert by webhook gets the bundle, and objects are converted; one that does not, or no
/// more, is left alone.
async fn conversions(client: &Client, url: &str, published: &Published) {
    let definitions: Definitions = Api::all(client.clone());
    let conversion = json!({"strategy": "Webhook", "webhook": {
        "conversionReviewVersions": ["v1"], "clientConfig": {"url": format!("{url}convert")}}});
    assert!(published.borrow().as_ref().unwrap().injected, "no place is no failure");
    convert_by(&definitions, conversion).await;
    let kind = |version| kube::api::ApiResource {
        group: "example.org".into(),
        version: String::from(version),
        api_version: format!("example.org/{version}"),
        kind: "Thing".into(),
        plural: "things".into(),
    };
    let [first, second]: [Api<DynamicObject>; 2] =
        ["v1", "v2"].map(|it| Api::all_with(client.clone(), &kind(it)));
    let start = Instant::now();
    let thing = DynamicObject::new("thing", &kind("v1"));
    drop(first.create(&PostParams::default(), &thing).await.unwrap());
    loop {
        match second.get("thing").await {
            Ok(thing) => break assert_eq!(thing.types.unwrap().api_version, "example.org/v2"),
            Err(error) => assert!(start.elapsed() < Duration::from_secs(10), "{error}"),
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    println!("converted {:?} after the strategy was changed", start.elapsed());
    assert!(carried(&definitions).await.unwrap().contains("BEGIN CERTIFICATE"));
    convert_by(&definitions, json!({"strategy": "None", "webhook": null})).await;
    definitions.delete(DEFINITION, &DeleteParams::default()).await.unwrap();
}

/// A namespace whose `ConfigMaps` must be admitted by the webhook at `url`, and no Secret.
async fn prepare(client: &Client, url: &str) -> Configurations {
    let namespace = serde_json::from_value(json!({"metadata": {"name": NAME}})).unwrap();
    drop(Api::<Namespace>::all(client.clone()).create(&PostParams::default(), &namespace).await);
    let configurations: Configurations = Api::all(client.clone());
    let configuration = json!({"metadata": {"name": NAME}, "webhooks": [{
        "name": "maps.example.org", "admissionReviewVersions": ["v1"], "sideEffects": "None",
        "failurePolicy": "Fail", "timeoutSeconds": 5, "clientConfig": {"url": url},
        "namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": NAME}},
        "rules": [{"apiGroups": [""], "apiVersions": ["v1"], "operations": ["CREATE"], "resources": ["configmaps"]}],
    }]});
    fresh(&configurations, configuration).await;
    let definitions: Definitions = Api::all(client.clone());
    definitions.create(&PostParams::default(), &serde_json::from_value(definition()).unwrap()).await.unwrap();
    drop(secrets(client).delete(NAME, &DeleteParams::default()).await);
    configurations
}

fn secrets(client: &Client) -> Api<Secret> {
    Api::namespaced(client.clone(), NAME)
}

/// Short lives, and a check interval so long that only watches and due dates can be what wakes the keeper.
fn config() -> Config {
    let secret = SecretRef { namespace: NAME.into(), name: NAME.into() };
    let mut issuing = Issuing::new(secret, Names::parse(["127.0.0.1"]).unwrap());
    issuing.lifetimes = Lifetimes::new(Duration::from_secs(30), Duration::from_secs(9)).unwrap();
    let mut config = Config::new(issuing, NAME);
    config.targets = vec![Target::validating(NAME), Target::conversion(DEFINITION)];
    config.propagation = Duration::from_secs(1);
    config.check_interval = Duration::from_mins(10);
    config
}

/// Waits for every target to carry the bundle, or not to.
async fn until_injected(published: &mut Published, injected: bool) {
    published.wait_for(|found| found.as_ref().is_some_and(|found| found.injected == injected)).await.unwrap();
}

/// How long leaves and CAs may take to change often enough.
const ROTATED_WITHIN: Duration = Duration::from_secs(90);

/// Admissions while leaves and CAs end and the Secret is deleted: none may fail.
async fn rotations(client: &Client, maps: &Api<ConfigMap>, published: &Published) {
    let (mut admitted, mut deleted) = (0_u32, false);
    let (mut leaves, mut bundles) = (BTreeSet::new(), BTreeSet::new());
    let start = Instant::now();
    while leaves.len() < 5 || bundles.len() < 3 {
        assert!(start.elapsed() < ROTATED_WITHIN, "{} leaves, {} bundles", leaves.len(), bundles.len());
        admit(maps).await.unwrap();
        admitted += 1;
        let found = published.borrow().clone().unwrap();
        leaves.insert(found.certificate.not_after);
        bundles.insert(found.ca_bundle);
        if !deleted && start.elapsed() > Duration::from_secs(5) {
            secrets(client).delete(NAME, &DeleteParams::default()).await.unwrap();
            deleted = true;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    println!("{admitted} admissions, {} leaves, {} bundles, none failed", leaves.len(), bundles.len());
}

/// Bundles that are overwritten: how soon admission works again.
async fn overwritten(configurations: &Configurations, maps: &Api<ConfigMap>) {
    for bundle in ["Cg==", "bm90IGEgY2VydA==", ""] {
        let patch = json!([{"op": "add", "path": "/webhooks/0/clientConfig/caBundle", "value": bundle}]);
        let patch = Patch::<()>::Json(serde_json::from_value(patch).unwrap());
        configurations.patch(NAME, &PatchParams::default(), &patch).await.unwrap();
        tokio::time::sleep(Duration::from_millis(100)).await;
        println!("bundle {bundle:?}: healed after 100 ms and {:?}", healed(maps).await);
    }
}

/// A configuration that is deleted and made anew without a bundle.
async fn remade(configurations: &Configurations, maps: &Api<ConfigMap>, published: &mut Published) {
    let old = configurations.get(NAME).await.unwrap();
    configurations.delete(NAME, &DeleteParams::default()).await.unwrap();
    until_injected(published, false).await;
    let mut again = serde_json::to_value(&old).unwrap();
    again["metadata"] = json!({"name": NAME});
    again["webhooks"][0]["clientConfig"].as_object_mut().unwrap().remove("caBundle");
    fresh(configurations, again).await;
    until_injected(published, true).await;
    println!("configuration made anew: admitted after {:?}", healed(maps).await);
}

/// What the keeper owns of the configuration.
async fn owned(configurations: &Configurations) -> Value {
    let owners = configurations.get(NAME).await.unwrap().metadata.managed_fields.unwrap_or_default();
    let ours = owners.into_iter().find(|owner| owner.manager.as_deref() == Some(NAME)).unwrap();
    serde_json::to_value(ours.fields_v1).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn admission_through_a_real_api_server_has_no_gap() {
    let plane =
        tokio::task::spawn_blocking(|| ControlPlane::start(Options::default())).await.unwrap().unwrap();
    let kubeconfig = Kubeconfig::read_from(plane.kubeconfig()).unwrap();
    let config_of_plane =
        kube::Config::from_custom_kubeconfig(kubeconfig, &KubeConfigOptions::default()).await;
    let client = Client::try_from(config_of_plane.unwrap()).unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.set_nonblocking(true).unwrap();
    let url = format!("https://127.0.0.1:{}/", listener.local_addr().unwrap().port());
    let configurations = prepare(&client, &url).await;
    let maps: Api<ConfigMap> = Api::namespaced(client.clone(), NAME);
    let keeper = Keeper::new(client.clone(), config()).unwrap();
    let mut published = keeper.published();
    let tls = server_config(keeper.resolver()).unwrap();
    let scenario = async {
        until_injected(&mut published, true).await;
        println!("first admission {:?} after the injection", healed(&maps).await);
        rotations(&client, &maps, &published).await;
        overwritten(&configurations, &maps).await;
        remade(&configurations, &maps, &mut published).await;
        let bundle = json!({"f:clientConfig": {"f:caBundle": {}}});
        assert_eq!(
            owned(&configurations).await,
            json!({"f:webhooks": {"k:{\"name\":\"maps.example.org\"}": bundle}})
        );
        conversions(&client, &url, &published).await;
    };
    tokio::select! {
        ended = keeper.run(std::future::pending()) => panic!("{ended:?}"),
        () = webhook(listener, tls) => panic!("the webhook ended"),
        () = scenario => {}
    }
    drop(configurations.delete(NAME, &DeleteParams::default()).await);
}
