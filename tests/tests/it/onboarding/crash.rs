//! A worker is cut off before and after each call that changes the cloud; another one goes on. The end
//! is that of the undisturbed run: no second account, nothing twice, nothing missing.

use std::{sync::Arc, time::Duration};

use serde_json::Value;
use tierdesk_provision::SimulatedCloud;
use tierdesk_tests::{Backend, on_both, owner};

use super::{Stage, request};

on_both! {
    every_call_can_be_cut_before_and_after,
}

/// Runs an onboarding whose worker is cut off at a call. Returns the end and whether the cut was met.
async fn run(backend: Backend, at: u64, has_acted: bool) -> (Value, bool, u64) {
    let stage = Arc::new(Stage::new(backend).await);
    let planned = stage.plan(request("New Bank", "standard")).await;
    stage.start_as(&owner(), &planned.run).await;
    let cut: SimulatedCloud = stage.cloud.clone().cut_at(at, has_acted);
    let worker = stage.worker("first", &cut);
    for _ in 0..2_000 {
        // One that is cut off never comes back: that is noticed by its silence.
        let tick = worker.tick();
        let mut tick = std::pin::pin!(tick);
        let ended = loop {
            tokio::select! {
                ended = &mut tick => break Some(ended.expect("the queue is read")),
                () = tokio::time::sleep(Duration::from_millis(5)) => {
                    if cut.changes() >= at {
                        // It may still be on its way to the silence.
                        let late = tokio::time::timeout(Duration::from_millis(150), &mut tick).await;
                        break late.ok().map(|ended| ended.expect("the queue is read"));
                    }
                }
            }
        };
        if ended.is_none() {
            break;
        }
        if !stage.pass_to_next_job().await {
            break;
        }
    }
    let is_met = cut.changes() >= at;
    // The dead worker's lease ends.
    stage.test.pass(Duration::from_mins(3));
    stage.settle().await;
    let done = stage.status(&planned.run).await;
    assert_eq!(done.state, "done", "cut {at} {has_acted}: {done:?}");
    let machine = stage.machine().await;
    (machine.picture(), is_met, machine.calls("CreateAccount"))
}

async fn every_call_can_be_cut_before_and_after(backend: Backend) {
    let (expected, is_met, _) = run(backend, u64::MAX, false).await;
    assert!(!is_met, "the undisturbed run");
    let mut cuts = 0;
    // What a statement does, the contract suite shows on both; the order of calls is the same.
    let stride = if backend == Backend::Sqlite { 1 } else { 4 };
    for at in (1..).step_by(stride) {
        let mut met = 0;
        for has_acted in [false, true] {
            let (picture, is_met, creations) = run(backend, at, has_acted).await;
            if is_met {
                met += 1;
                assert_eq!(picture, expected, "cut at call {at}, acted: {has_acted}");
                assert_eq!(creations, 1, "cut at call {at}, acted: {has_acted}");
            }
        }
        cuts += met;
        if met == 0 {
            break;
        }
    }
    let least = 30 / stride;
    assert!(cuts >= least, "positive control: {cuts} cuts");
    println!("{backend:?}: {cuts} cuts, each with the end of the undisturbed run");
}
