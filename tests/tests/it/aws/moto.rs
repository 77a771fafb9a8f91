//! Against moto: what it says of the same walk must be what our own machine says.

use tierdesk_core::clock::Clock;
use tierdesk_tests::{START, moto::Moto};

use super::{picture::picture, server, walk::walk};

#[tokio::test]
async fn every_operation_answers_and_the_end_is_the_same_as_at_our_own_server() {
    let moto = Moto::organization();
    let theirs = moto.cloud().await;
    walk(&theirs, &Clock::manual(START)).await;
    let (server, clock) = server().await;
    let ours = server.cloud().await;
    walk(&ours, &clock).await;
    let (groups, users) = (["acme-admins"], ["ann@acme.example"]);
    let at_moto = picture(&theirs, &groups, &users).await;
    let at_ours = picture(&ours, &groups, &users).await;
    assert_eq!(at_moto, at_ours);
    assert_eq!(at_ours["assignments"].as_array().map(Vec::len), Some(1));
}
