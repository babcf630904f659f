// SPDX-License-Identifier: Apache-2.0
//! Flower as people open it: in a browser, through its Service and below a path of an Ingress.

use std::fs;
use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::{Value, json};
use testbed::{Process, free_port, tools};

use crate::Error;
use crate::outcome::Outcome;
use crate::sample::{LOGIN, Sample};
use crate::stage::{Stage, printed, wait_for};

pub(crate) const CHROMIUM: &str = "/usr/bin/chromium";
pub(crate) const CURL: &str = "/usr/bin/curl";

const HOST: &str = "tools.example.com";
const PREFIX: &str = "flower";
const CLASS: &str = "traefik";
/// Milliseconds of the page's own clock until it is looked at: it asks for its rows after it was loaded.
const SETTLED: &str = "10000";

/// Opens the page both ways, without and with the password.
pub(crate) fn run(stage: &Stage) -> Result<Outcome, Error> {
    let sample = Sample::new(stage, "flower", "redis", 20)?;
    let class = json!({
        "apiVersion": "networking.k8s.io/v1", "kind": "IngressClass", "metadata": { "name": CLASS },
        "spec": { "controller": "traefik.io/ingress-controller" },
    });
    stage.apply(&class.to_string(), &[])?;
    sample.change(&[
        ("/spec/beatSpec", Value::Null),
        ("/spec/workerSpec/numOfWorkers", json!(1)),
        ("/spec/flowerSpec/urlPrefix", json!(PREFIX)),
        ("/spec/flowerSpec/ingress", json!({ "host": HOST, "className": CLASS })),
    ])?;
    sample.ready()?;
    let mut outcome = Outcome::default();
    let service = sample.get(&["service", "shop-app-flower"])?;
    let address = service["spec"]["clusterIP"].as_str().ok_or("the Service has no address")?.to_owned();
    let port = service["spec"]["ports"][0]["port"].as_u64().ok_or("the Service has no port")?;
    let service = Door { name: "service", origin: format!("{address}:{port}"), leads_to: None };
    opened(&sample, &service, &mut outcome)?;

    let controller = IngressController::start(stage)?;
    let leads_to = Some(format!("{}:{}", Ipv4Addr::LOCALHOST, controller.port));
    let ingress = Door { name: "ingress", origin: HOST.to_owned(), leads_to };
    wait_for("a way through the Ingress", || {
        let status = ingress.status("")?;
        Ok(if status == "401" { Ok(()) } else { Err(status) })
    })?;
    opened(&sample, &ingress, &mut outcome)?;
    let other = ingress.status("elsewhere")?;
    outcome.held(other == "404", format!("another path of the host leads nowhere: {other}"));
    sample.end()?;
    Ok(outcome)
}

/// Opens the list of tasks and keeps a picture of it.
fn opened(sample: &Sample<'_>, door: &Door, outcome: &mut Outcome) -> Result<(), Error> {
    let without = door.status("")?;
    outcome.held(without == "401", format!("{}: without a password {without}", door.name));
    let rows = wait_for("a list with tasks", || {
        // Workers tell of tasks from when Flower has asked them to.
        sample.send(&["quick", "5", "--wait", "60"])?;
        let rows = door.page()?.matches("shop.quick").count();
        Ok(if rows > 0 { Ok(rows) } else { Err("no task in the list".to_owned()) })
    })?;
    let picture = door.picture()?;
    outcome.held(
        fs::metadata(&picture)?.len() > 10_000,
        format!(
            "{}: lists tasks to whoever logs in ({rows} of shop.quick), {}",
            door.name,
            picture.display()
        ),
    );
    Ok(())
}

/// A way to Flower.
struct Door {
    name: &'static str,
    /// Host, and port if it is not 80.
    origin: String,
    /// Where connections to the host go; nothing: to the host itself.
    leads_to: Option<String>,
}

impl Door {
    /// The code of the answer to somebody who is not logged in; of another path of the host, if one is named.
    fn status(&self, other: &str) -> Result<String, Error> {
        let path = if other.is_empty() { format!("{PREFIX}/tasks") } else { other.to_owned() };
        let mut curl = Command::new(CURL);
        curl.args(["--silent", "--noproxy", "*", "--output", "/dev/null", "--write-out", "%{http_code}"]);
        if let Some(to) = &self.leads_to {
            curl.arg("--connect-to").arg(format!("{}:80:{to}", self.origin));
        }
        let output = curl.arg(format!("http://{}/{path}", self.origin)).output()?;
        Ok(String::from_utf8_lossy(&output.stdout).into_owned())
    }

    /// The page with the tasks after its scripts have run.
    fn page(&self) -> Result<String, Error> {
        let mut browser = self.browser();
        let output = browser.arg("--dump-dom").arg(self.url()).output()?;
        Ok(printed(&output)?)
    }

    /// A picture of it.
    fn picture(&self) -> Result<PathBuf, Error> {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/e2e");
        fs::create_dir_all(&folder)?;
        let picture = folder.canonicalize()?.join(format!("flower-{}.png", self.name));
        let mut browser = self.browser();
        let output = browser.arg(format!("--screenshot={}", picture.display())).arg(self.url()).output()?;
        printed(&output)?;
        Ok(picture)
    }

    fn url(&self) -> String {
        format!("http://{LOGIN}@{}/{PREFIX}/tasks", self.origin)
    }

    fn browser(&self) -> Command {
        let mut browser = Command::new(CHROMIUM);
        // As root it has no sandbox, and here it opens nothing that is not ours.
        browser.args([
            "--headless=new",
            "--no-sandbox",
            "--disable-gpu",
            "--no-proxy-server",
            "--hide-scrollbars",
        ]);
        browser.args(["--window-size=1280,900", &format!("--virtual-time-budget={SETTLED}")]);
        browser.arg(format!("--user-data-dir={}", std::env::temp_dir().join("celery-e2e-browser").display()));
        if let Some(to) = &self.leads_to {
            browser.arg(format!("--host-resolver-rules=MAP {}:80 {to}", self.origin));
        }
        browser
    }
}

/// Traefik, on this machine: pods are as near to it as to the node.
struct IngressController {
    port: u16,
    _process: Process,
}

impl IngressController {
    fn start(stage: &Stage) -> Result<Self, Error> {
        let port = free_port()?;
        let mut command = Command::new(tools::traefik()?);
        command
            .env("KUBECONFIG", stage.plane.kubeconfig())
            .arg(format!("--entrypoints.web.address={}:{port}", Ipv4Addr::LOCALHOST))
            .args(["--providers.kubernetesingress=true", "--log.level=INFO"])
            .args(["--global.checknewversion=false", "--global.sendanonymoususage=false"]);
        let log = stage.plane.dir().join("traefik.log");
        Ok(Self { port, _process: Process::spawn("traefik", &command, &log)? })
    }
}
