//! `/onboard`.
use tierdesk_core::{desk::Error, permit::Actor, refusal::Refusal};

use super::{Answer, Asked, Choice};
use crate::Bot;

pub(super) async fn run(verb: &str, _asked: &Asked<'_>) -> Result<Answer, Error> {
    Err(Refusal::not_found("command", format!("onboard {verb}")).into())
}

pub(super) async fn choices(
    _bot: &Bot,
    _actor: &Actor,
    _path: &str,
    _so_far: &str,
) -> Result<Vec<Choice>, Error> {
    Ok(Vec::new())
}
