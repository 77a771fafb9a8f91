//! Telling a chat what an onboarding does, a line a step: the `post_progress` jobs.
//!
//! What was told is remembered by step and verdict, so that a job that is repeated tells nothing
//! twice, and one that came late tells everything in order.

use std::sync::Arc;

use serde_json::json;
use tierdesk_core::{
    desk::chat::{self, RunToPost},
    disclosure::{DisclosedRun, DisclosedStep},
    discord::DiscordId,
    ids::RunId,
    jobs::{Handler, HandlerFuture, Job, JobError, JobKind},
};

use crate::{
    BOT, Bot, digest, escape,
    guild::{ChannelKind, id},
    message::{Message, limit},
    posts::job_error,
    rest::RestError,
};

/// Does `post_progress` jobs.
#[derive(Debug)]
pub struct PostProgress {
    /// The bot.
    pub bot: Arc<Bot>,
}

/// Discord archives the thread after so many minutes of silence: a day.
const AUTO_ARCHIVE: u64 = 1_440;
/// Verdicts of a step that are told.
const TOLD: [&str; 4] = ["done", "failed", "skipped", "already"];
/// States of a run that are told.
const ENDS: [&str; 4] = ["awaiting_approval", "done", "failed", "cancelled"];

/// What was told already.
#[derive(Clone, Debug, Default, serde::Serialize, serde::Deserialize)]
struct Told {
    thread: Option<String>,
    lines: Vec<String>,
}

impl Handler for PostProgress {
    fn kind(&self) -> &str {
        JobKind::PostProgress.as_str()
    }

    fn run<'h>(&'h self, job: &'h Job) -> HandlerFuture<'h> {
        Box::pin(async move {
            let payload: serde_json::Value = serde_json::from_str(&job.payload)
                .map_err(|fault| JobError::Fail(fault.to_string()))?;
            let run = payload["run"].as_str().and_then(|id| id.parse().ok());
            let run: RunId = run.ok_or_else(|| JobError::Fail("it names no run".to_owned()))?;
            self.bot.tell(run).await
        })
    }
}

impl Bot {
    async fn tell(&self, run: RunId) -> Result<(), JobError> {
        let to_post = chat::run_to_post(&self.desk, &BOT, run).await;
        let Some(to_post) = to_post.map_err(job_error)? else {
            return Ok(());
        };
        let name = format!("progress:{run}");
        let known = chat::find_fact(&self.desk, &BOT, &name).await;
        let known = known.map_err(job_error)?;
        let mut told: Told = known
            .and_then(|text| serde_json::from_str(&text).ok())
            .unwrap_or_default();
        let thread = match told.thread.as_deref().and_then(|id| id.parse().ok()) {
            Some(thread) => thread,
            None => self.open_thread(&to_post).await?,
        };
        told.thread = Some(thread.to_string());
        self.remember(&name, &told).await?;
        for (key, line) in lines(&to_post.shown) {
            if told.lines.contains(&key) {
                continue;
            }
            let body = Message::text(line).once(&nonce(run, &key));
            let path = format!("/channels/{thread}/messages");
            match self.rest.post(&path, &body).await {
                Err(error @ RestError::NotFound { .. }) => {
                    // Somebody deleted the thread: the next try makes another and tells it all.
                    self.remember(&name, &Told::default()).await?;
                    return Err(error.into());
                }
                other => other?,
            };
            told.lines.push(key);
            self.remember(&name, &told).await?;
        }
        Ok(())
    }

    async fn remember(&self, name: &str, told: &Told) -> Result<(), JobError> {
        let text =
            serde_json::to_string(told).map_err(|fault| JobError::Fail(fault.to_string()))?;
        chat::set_fact(&self.desk, &BOT, name, &text)
            .await
            .map_err(job_error)
    }

    /// The run's thread, found again where a job that was cut off made it.
    async fn open_thread(&self, to_post: &RunToPost) -> Result<DiscordId, JobError> {
        let begin = format!("Onboarding {}", short(&to_post.shown));
        if let Some(thread) = self.find_thread(to_post.channel, &begin, &[]).await? {
            return Ok(thread);
        }
        let snapshot = self.guild.snapshot().await?;
        let channel = snapshot
            .channels
            .iter()
            .find(|channel| channel.id == to_post.channel);
        let name = escape::plain(&format!("{begin} · {}", to_post.shown.name), limit::NAME);
        let first = Message::text(format!(
            "Onboarding of **{}** ({}) in the {} cloud, asked for by {}.",
            escape::line(&to_post.shown.name, 80),
            to_post.shown.tier.as_deref().unwrap_or("unknown tier"),
            to_post.shown.cloud,
            escape::line(&to_post.shown.requested_by, 80)
        ));
        let mut body = json!({ "name": name, "auto_archive_duration": AUTO_ARCHIVE });
        if let (true, Some(open)) = (to_post.is_restricted, channel.filter(|one| one.is_open)) {
            return Err(JobError::Retry(format!(
                "#{} can be seen by @everyone, which this tier does not allow: take View Channel from @everyone there",
                open.name
            )));
        }
        let is_forum = channel.is_none_or(|channel| channel.kind == ChannelKind::Forum);
        if is_forum {
            body["message"] = first.body();
        } else {
            // A public thread that begins from no message.
            body["type"] = 11.into();
        }
        let path = format!("/channels/{}/threads", to_post.channel);
        let made = self.rest.post(&path, &body).await?;
        let thread = id(&made["id"])
            .ok_or_else(|| JobError::Retry("the answer names no thread".to_owned()))?;
        if !is_forum {
            let path = format!("/channels/{thread}/messages");
            self.rest.post(&path, &first.body()).await?;
        }
        Ok(thread)
    }
}

/// The last letters of a run's id, which differ where the first do not.
pub(crate) fn short(run: &DisclosedRun) -> &str {
    let from = run.run.len().saturating_sub(8);
    &run.run[from..]
}

/// What there is to tell so far, each line with the key by which it is told once.
fn lines(run: &DisclosedRun) -> Vec<(String, String)> {
    let steps = run
        .steps
        .iter()
        .filter(|step| TOLD.contains(&step.verdict.as_str()))
        .map(|step| {
            (
                format!(
                    "{}:{}{}",
                    step.name,
                    step.verdict,
                    again(run, &step.verdict)
                ),
                step_line(step),
            )
        });
    let end = ENDS.contains(&run.state.as_str()).then(|| {
        let approvals = run.approvals.1;
        let key = format!("state:{}:{approvals}{}", run.state, again(run, &run.state));
        (key, end_line(run))
    });
    // A plan that was not started has nothing behind it yet.
    if matches!(run.state.as_str(), "planned") {
        return Vec::new();
    }
    let steps = steps.filter(|_| run.state != "awaiting_approval");
    steps.chain(end).collect()
}

/// What tells a failure from an earlier one of a run that was resumed: how long its steps took, which
/// stays the same while it stands.
fn again(run: &DisclosedRun, verdict: &str) -> String {
    if verdict != "failed" {
        return String::new();
    }
    let seconds: f64 = run.steps.iter().filter_map(|step| step.seconds).sum();
    format!(":{seconds:.6}")
}

/// A step on one line.
pub(crate) fn step_line(step: &DisclosedStep) -> String {
    let sign = match step.verdict.as_str() {
        "done" | "already" => "✓",
        "failed" | "blocked" => "✗",
        "running" => "…",
        _ => "–",
    };
    let seconds = step
        .seconds
        .map(|seconds| format!(" · {seconds:.0} s"))
        .unwrap_or_default();
    let detail = step
        .detail
        .as_ref()
        .map(|detail| format!(" · {}", escape::line(detail, 160)))
        .unwrap_or_default();
    format!(
        "{sign} **{}** {}{seconds}{detail}",
        escape::line(&step.name, 40),
        step.verdict
    )
}

fn end_line(run: &DisclosedRun) -> String {
    let (needed, given, _) = run.approvals;
    match run.state.as_str() {
        "awaiting_approval" => format!(
            "Waits for approval: {given} of {needed}. `/onboard approve run:{}`",
            short(run)
        ),
        "done" => "**Done.** The customer is active.".to_owned(),
        "cancelled" => "**Given up.** What was made in the cloud stays.".to_owned(),
        _ => {
            let note = run
                .note
                .as_ref()
                .map(|note| format!(" {}.", escape::line(note, 300)))
                .unwrap_or_default();
            format!(
                "**Stopped.**{note} When it is put right: `/onboard resume run:{}`",
                short(run)
            )
        }
    }
}

fn nonce(run: RunId, key: &str) -> String {
    digest::nonce(&[run.0.as_bytes(), key.as_bytes()])
}
