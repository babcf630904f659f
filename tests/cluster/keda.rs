// SPDX-License-Identifier: Apache-2.0
//! A cluster without KEDA that gets it later, and an operator that looks after one namespace only.

use crate::rig::{Rig, Setup};
use crate::shop;
use crate::space::{Space, condition};

/// One story on one rig: KEDA can be missing only once, and both halves need an operator of their own.
#[test]
fn keda_may_come_later_and_other_namespaces_are_left_alone() {
    let rig =
        Rig::start(Setup { keda: false, arguments: &["--watch-namespace=watched,also"], ..Setup::default() });
    let pid = rig.operator_pid();
    let watched = Space::named(&rig, "watched");
    let also = Space::named(&rig, "also");
    let other = Space::named(&rig, "other");
    let queue = shop::with(&format!("spec: {{scaleTargetRef: {}}}", shop::QUEUE));
    other.create("celeries", &queue);
    watched.create("celeries", &queue);
    also.create("celeries", &shop::plain());
    watched.until_condition("shop", "AutoscalingReady", "False", "KedaNotInstalled");
    // Everything else is there, and runs; what is missing is said.
    watched.until("celeries", "shop", |it| {
        watched.make_pods_ready();
        condition(it, "WorkersAvailable")["status"] == "True"
            && condition(it, "Ready")["reason"] == "KedaNotInstalled"
    });
    also.until_there("deployments", "shop-worker");
    rig.install_keda();
    watched.until_there("scaledobjects", "shop-worker");
    watched.until("celeries", "shop", |it| condition(it, "AutoscalingReady")["reason"] != "KedaNotInstalled");
    assert_eq!(rig.operator_pid(), pid);
    // The object that nobody looks after came first and has nothing: no children, no status. It was judged all the same.
    assert_eq!(other.children("shop"), Vec::new());
    let left_alone = other.get("celeries", "shop").unwrap();
    assert!(left_alone["status"].is_null(), "{}", left_alone["status"]);
    assert_eq!(left_alone["spec"]["common"]["appName"], "shop");
    let writes = crate::audit::writes_in(&rig, 0, &other.name);
    assert_eq!(writes, Vec::<String>::new());
}
