// SPDX-License-Identifier: Apache-2.0
//! What becomes of requests that take their time, and of those beside them.

use tokio::sync::Semaphore;

use super::*;
use crate::admission::server::bounds::JUDGED;

#[tokio::test(start_paused = true)]
async fn a_body_that_does_not_end_is_given_up() {
    let endless = Body::from_stream(futures::stream::pending::<Result<Bytes, std::io::Error>>());
    assert_eq!(send(VALIDATE_PATH, endless).await.0, StatusCode::REQUEST_TIMEOUT);
}

#[tokio::test(start_paused = true)]
async fn what_gets_no_verdict_is_counted() {
    let metrics = Arc::new(Metrics::default());
    let ask = |body: Body| {
        let request = HttpRequest::post(VALIDATE_PATH).header("content-type", "application/json").body(body);
        counted(Surroundings::default(), &metrics).oneshot(request.expect("a request"))
    };
    let count = |reason: &str| -> u32 {
        let name = format!("celery_operator_admission_errors_total{{reason=\"{reason}\"}} ");
        let text = metrics.text();
        text.lines().find_map(|line| line.strip_prefix(&name)).expect("a line").parse().expect("a number")
    };
    assert_eq!([count("late"), count("malformed"), count("broken")], [0, 0, 0]);
    let endless = futures::stream::pending::<Result<Bytes, std::io::Error>>();
    ask(Body::from_stream(endless)).await.expect("an answer");
    ask(Body::from("{}")).await.expect("an answer");
    ask(Body::from(review("CREATE", &shop(json!({})), &Value::Null).to_string())).await.expect("an answer");
    assert_eq!([count("late"), count("malformed"), count("broken")], [1, 1, 0]);
}

#[tokio::test(start_paused = true)]
async fn bodies_that_do_not_come_keep_nobody_waiting() {
    let router = router(Surroundings::default());
    let post = |body: Body| {
        let request = HttpRequest::post(VALIDATE_PATH).header("content-type", "application/json").body(body);
        router.clone().oneshot(request.expect("a request"))
    };
    let stalled = (0..2 * JUDGED).map(|_| {
        let endless = futures::stream::pending::<Result<Bytes, std::io::Error>>();
        tokio::spawn(post(Body::from_stream(endless)))
    });
    let stalled: Vec<_> = stalled.collect();
    tokio::task::yield_now().await;
    let good = review("CREATE", &shop(json!({})), &Value::Null).to_string();
    let answer = post(Body::from(good)).await.expect("an answer");
    assert_eq!(answer.status(), StatusCode::OK);
    assert!(stalled.iter().all(|stalled| !stalled.is_finished()));
    for stalled in stalled {
        let answer = stalled.await.expect("a task").expect("an answer");
        assert_eq!(answer.status(), StatusCode::REQUEST_TIMEOUT);
    }
}

#[tokio::test]
async fn who_has_given_up_waiting_still_has_a_place_while_the_object_is_judged() {
    let (end, ended) = std::sync::mpsc::channel::<()>();
    let ended = Arc::new(std::sync::Mutex::new(ended));
    let (tell, mut told) = tokio::sync::mpsc::unbounded_channel();
    let counter = Counter { webhook: "validate", metrics: Arc::default() };
    let slow = move |request: &Request| {
        tell.send(()).expect("somebody waits");
        ended.lock().expect("nobody else").recv().expect("the end");
        request.allowed().into()
    };
    let places = Arc::new(Semaphore::new(1));
    let bounds = Bounds { judged: places.clone(), ..Bounds::default() };
    let router = Router::new()
        .route("/", post(|place, body| judge(place, body, counter, slow)))
        .layer(middleware::from_fn_with_state((bounds, Arc::default()), bounded));
    let mut object = shop(json!({}));
    object["metadata"]["annotations"] = json!({"note": "x".repeat(2 * JUDGED_AT_ONCE)});
    let body = Body::from(review("CREATE", &object, &Value::Null).to_string());
    let asked = router.oneshot(HttpRequest::post("/").body(body).expect("a request"));
    tokio::select! {
        _ = asked => panic!("is not judged yet"),
        seen = told.recv() => seen.expect("it begins"),
    }
    assert_eq!(places.available_permits(), 0);
    end.send(()).expect("somebody waits");
    assert!(places.acquire().await.is_ok());
}
