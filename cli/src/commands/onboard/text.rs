//! Onboardings for people.

use tierdesk_core::desk::onboard::{ApprovalReport, RunReport, StepReport};
use tierdesk_provision::VerifyReport;

use crate::output::{Output, Tone};

/// The first letters of a hash: enough to name it.
const SHORT: usize = 12;

fn short(hash: &str) -> &str {
    hash.get(..SHORT).unwrap_or(hash)
}

fn span(seconds: i64) -> String {
    match seconds {
        ..=90 => format!("{seconds} s"),
        _ => format!("{} min", (seconds + 30) / 60),
    }
}

fn head(out: &Output, report: &RunReport) {
    let title = format!(
        "{} ({}), tier {}",
        report.name, report.customer, report.tier
    );
    out.line(out.paint(Tone::Strong, title));
    let organization = report
        .organization
        .as_deref()
        .unwrap_or("not looked at yet");
    if report.cloud == "simulated" {
        out.line(format!(
            "  cloud         simulated, no account of Amazon's is made ({organization})"
        ));
    } else {
        out.line(format!("  cloud         AWS, organisation {organization}"));
    }
    if let Some(root) = &report.root_email {
        out.line(format!("  root address  {root}"));
    }
    if let Some(account) = &report.account_id {
        out.line(format!("  account       {account}"));
    }
    if let Some(ou) = &report.ou {
        out.line(format!("  unit          {ou}"));
    }
    let ApprovalReport {
        needed,
        given,
        possible,
    } = report.approvals;
    if needed > 0 {
        let mut line =
            format!("  approvals     {given} of {needed} given; {possible} could approve");
        if possible < needed && report.sole_operator.is_none() {
            line.push_str(": too few");
        }
        out.line(line);
    }
    if let Some(reason) = &report.sole_operator {
        let line = format!(
            "  SOLE OPERATOR {} went on alone: {reason}",
            report.requested_by
        );
        out.line(out.paint(Tone::Alarm, line));
    }
}

/// A plan, and what to type next.
pub(super) fn plan(out: &Output, report: &RunReport) {
    if report.state != "planned" {
        return status(out, report);
    }
    head(out, report);
    if let Some(estimate) = report.estimate_seconds {
        out.line(format!(
            "  time          about {}, between {} and {}",
            span(estimate.likely),
            span(estimate.low),
            span(estimate.high)
        ));
    }
    out.line(format!("  plan          {}", short(&report.hash)));
    out.line("");
    steps(out, &report.steps);
    out.line("");
}

/// What to do with a plan.
pub(super) fn after_plan(out: &Output, report: &RunReport) {
    if report.state != "planned" {
        return;
    }
    let blocked = report
        .steps
        .iter()
        .filter(|step| step.verdict == "blocked")
        .count();
    if blocked > 0 {
        let line = format!("{blocked} step(s) are blocked: change that, then plan again.");
        return out.line(out.paint(Tone::Alarm, line));
    }
    out.line("Nothing was changed. To do exactly this:");
    out.line(format!(
        "  tierdesk onboard start --hash {}",
        short(&report.hash)
    ));
    let approvals = report.approvals;
    if approvals.needed > approvals.possible {
        out.line(format!(
            "It needs {} other person(s) to approve and {} could. Add staff with the role approver, \
             or, for a team of one: --sole-operator REASON",
            approvals.needed, approvals.possible
        ));
    } else if approvals.needed > 0 {
        out.line(format!(
            "Then {} other person(s) approve: tierdesk onboard approve {}",
            approvals.needed, report.customer
        ));
    }
}

fn steps(out: &Output, steps: &[StepReport]) {
    let row = |step: &StepReport| {
        let seconds = step.seconds.map(|seconds| format!("{seconds:.1} s"));
        vec![
            step.name.title().to_owned(),
            step.verdict.to_owned(),
            step.detail.clone(),
            seconds.unwrap_or_default(),
        ]
    };
    out.table(
        &["step", "verdict", "what", "took"],
        steps.iter().map(row).collect(),
    );
}

/// A step that ended, in one line.
pub(super) fn step_line(out: &Output, step: &StepReport) -> String {
    let seconds = step.seconds.map(|seconds| format!("  {seconds:.1} s"));
    let line = format!(
        "  {:16} {:8} {}{}",
        step.name.title(),
        step.verdict,
        step.detail,
        seconds.unwrap_or_default()
    );
    match step.verdict {
        "failed" => out.paint(Tone::Alarm, line),
        "skipped" => out.paint(Tone::Faint, line),
        _ => line,
    }
}

/// How a run stands.
pub(super) fn status(out: &Output, report: &RunReport) {
    state(out, report);
    if !report.steps.is_empty() {
        out.line("");
        steps(out, &report.steps);
    }
    next(out, report);
}

fn state(out: &Output, report: &RunReport) {
    head(out, report);
    out.line(format!("  state         {}", report.state));
    if let Some(note) = &report.note {
        out.line(format!("  note          {note}"));
    }
}

/// How a run ended whose steps were told already.
pub(super) fn ended(out: &Output, report: &RunReport) {
    out.line("");
    state(out, report);
    next(out, report);
}

fn next(out: &Output, report: &RunReport) {
    let customer = &report.customer;
    let next = match report.state {
        "planned" if report.is_planning => "The cloud is being looked at.".to_owned(),
        "planned" => format!(
            "Next: tierdesk onboard start --hash {}",
            short(&report.hash)
        ),
        "awaiting_approval" if report.approvals.possible < report.approvals.needed => format!(
            "Next: more staff with the role approver, or tierdesk onboard start --hash {} \
             --sole-operator REASON",
            short(&report.hash)
        ),
        "awaiting_approval" => format!(
            "Next, by somebody else: tierdesk onboard approve {customer} --hash {}",
            short(&report.hash)
        ),
        "failed" => format!("Next: tierdesk onboard resume {customer}, or cancel {customer}"),
        "done" => format!("Next: tierdesk onboard verify {customer}"),
        _ => return,
    };
    out.line("");
    out.line(next);
}

/// All runs.
pub(super) fn list(out: &Output, reports: &[RunReport], is_all: bool) {
    if reports.is_empty() {
        return out.line(if is_all {
            "Nobody was onboarded yet."
        } else {
            "No onboarding is under way. --all shows those that are over."
        });
    }
    let row = |report: &RunReport| {
        let step = report
            .steps
            .iter()
            .find(|step| matches!(step.verdict, "running" | "failed"));
        let step = step.map_or_else(String::new, |step| step.name.title().to_owned());
        let alone = report.sole_operator.as_ref().map(|_| " (sole operator)");
        vec![
            report.customer.to_string(),
            report.tier.to_string(),
            format!("{}{}", report.state, alone.unwrap_or_default()),
            step,
            report
                .account_id
                .as_ref()
                .map(ToString::to_string)
                .unwrap_or_default(),
            report
                .created_at
                .map(crate::output::local)
                .unwrap_or_default(),
            report.requested_by.clone(),
        ]
    };
    out.table(
        &[
            "customer", "tier", "state", "step", "account", "planned", "by",
        ],
        reports.iter().map(row).collect(),
    );
}

/// What a comparison found.
pub(super) fn verified(out: &Output, report: &VerifyReport) {
    let (customer, account) = (&report.customer, &report.account_id);
    if report.ok {
        return out.line(format!(
            "{customer}: account {account} is as the directory says ({} comparisons).",
            report.compared.len()
        ));
    }
    let line = format!("{customer}: account {account} differs from the directory.");
    out.line(out.paint(Tone::Alarm, line));
    for difference in &report.differences {
        out.line(format!(
            "  {:16} {}",
            difference.step.title(),
            difference.detail
        ));
    }
}
