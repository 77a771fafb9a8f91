//! Keeping the bot connected, in one of however many processes.

use std::{sync::Arc, time::Duration};

use tierdesk_bot::{
    Bot,
    gateway::{BotError, Patience},
};
use tierdesk_core::{
    desk::{Desk, chat::bot_lease},
    telemetry,
};
use tokio_util::sync::CancellationToken;

use super::upkeep::{log, pause};

/// The wait before the bot connects again, doubling; Discord allows a thousand sessions a day.
const RECONNECT_FIRST: Duration = Duration::from_secs(10);
/// The longest.
const RECONNECT_LONGEST: Duration = Duration::from_mins(5);
/// How often the bot's lease is renewed, or asked for.
const STAND_BY: Duration = Duration::from_secs(10);

/// Keeps the bot connected until stopped, or until a person has to put something right. Discord being
/// away ends nothing else: mail comes in and jobs are done meanwhile, and posts wait.
pub(super) async fn connect(
    bot: Arc<Bot>,
    holder: String,
    stop: CancellationToken,
) -> Option<BotError> {
    let mut wait = RECONNECT_FIRST;
    while !stop.is_cancelled() {
        // One of several processes answers; the others stand by.
        if !hold(&bot.desk, &holder).await {
            pause(STAND_BY, &stop).await;
            continue;
        }
        let since = tokio::time::Instant::now();
        let round = stop.child_token();
        let keep = keep_holding(&bot.desk, &holder, &round);
        let mut run = Box::pin(Arc::clone(&bot).run(Patience::default(), round.clone()));
        let ended = tokio::select! {
            ended = &mut run => ended,
            () = keep => {
                // Dropped only, its connection would go on answering beside the other process's.
                round.cancel();
                run.await
            }
        };
        match ended {
            Ok(()) => {}
            Err(
                error @ (BotError::Token | BotError::Intents | BotError::ForeignGateway { .. }),
            ) => return Some(error),
            Err(error) => {
                let error = telemetry::chain(&error);
                tracing::error!(error, wait = ?wait, "Discord is away; the bot connects again");
                pause(wait, &stop).await;
                let was_long = since.elapsed() > RECONNECT_LONGEST;
                wait = if was_long {
                    RECONNECT_FIRST
                } else {
                    (wait * 2).min(RECONNECT_LONGEST)
                };
            }
        }
    }
    let _ = bot_lease::release(&bot.desk, &holder).await;
    None
}

/// Whether this process is the one that answers in Discord.
async fn hold(desk: &Desk, holder: &str) -> bool {
    match bot_lease::acquire(desk, holder).await {
        Ok(is_ours) => is_ours,
        Err(error) => {
            log("holding the bot's lease", Err(error));
            false
        }
    }
}

/// Ends when another process has taken over. A database that is away is no reason to hang up.
async fn keep_holding(desk: &Desk, holder: &str, stop: &CancellationToken) {
    while !stop.is_cancelled() {
        pause(STAND_BY, stop).await;
        if let Ok(false) = bot_lease::acquire(desk, holder).await {
            tracing::warn!("another process answers in Discord now; this one stands by");
            return;
        }
    }
    std::future::pending::<()>().await;
}
