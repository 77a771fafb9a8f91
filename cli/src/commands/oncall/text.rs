//! Who is on call, for people.

use tierdesk_core::{
    clock::Timestamp,
    desk::oncall::{
        Preview, Replay, RotationReport, ScheduleReport, SegmentReport, TemporaryReport, TierDuty,
        Written,
    },
    desk::watchdog::WatchdogReport,
    oncall::Source,
};

use crate::output::{Output, Tone, local};

/// An instant, where there is one.
fn until(at: Timestamp) -> String {
    if at == Timestamp::MAX {
        "-".to_owned()
    } else {
        local(at)
    }
}

fn name(name: Option<&String>) -> String {
    name.map_or_else(|| "-".to_owned(), Clone::clone)
}

/// How the self-tests go.
pub(super) fn watchdog(out: &Output, found: &WatchdogReport) {
    match found.every_seconds {
        None => {
            out.line("The desk does not test itself: watchdog.every is not set (docs/oncall.md).");
        }
        Some(seconds) => {
            let pings = if found.pings {
                "whoever listens at the dead-man address is told"
            } else {
                "nobody outside is told: watchdog.ping_url is not set"
            };
            out.line(format!("A self-test every {} min; {pings}.", seconds / 60));
        }
    }
    if found.every_seconds.is_some() {
        let detail = format!("Now: {}.", found.detail);
        out.line(if found.ok {
            detail
        } else {
            out.paint(Tone::Alarm, detail)
        });
    }
    if found.rounds.is_empty() {
        return;
    }
    let table = found.rounds.iter().map(|round| {
        let took = round.closed_at.map(|at| {
            let took = at.since(round.started_at);
            format!("{:.2} s", took.as_secs_f64())
        });
        let told = match (&round.pinged_at, &round.ping_fault) {
            (Some(at), None) => local(*at),
            (_, Some(fault)) => fault.clone(),
            (None, None) => "-".to_owned(),
        };
        vec![
            local(round.started_at),
            round.ticket.clone().unwrap_or_else(|| "-".to_owned()),
            took.unwrap_or_else(|| "not heard of".to_owned()),
            told,
        ]
    });
    out.table(
        &["began", "ticket", "came round in", "told"],
        table.collect(),
    );
}

pub(super) fn now(out: &Output, rows: &[TierDuty]) {
    let table = rows.iter().map(|row| {
        vec![
            row.tier.to_string(),
            row.primary.clone(),
            name(row.secondary.as_ref()),
            until(row.until),
            row.source.to_string(),
        ]
    });
    out.table(
        &["tier", "primary", "secondary", "until", "source"],
        table.collect(),
    );
    for row in rows.iter().filter(|row| row.source == Source::CatchAll) {
        let alarm = format!(
            "ALARM: nobody is on call for {}; {} is called as the catch-all.",
            row.tier, row.primary
        );
        out.line(out.paint(Tone::Alarm, alarm));
    }
    for row in rows.iter().filter(|row| !row.unproven.is_empty()) {
        let alarm = format!(
            "{}: {} cannot be woken: no channel that wakes was proven (tierdesk staff test-page NAME).",
            row.tier,
            row.unproven.join(", ")
        );
        out.line(out.paint(Tone::Alarm, alarm));
    }
}

pub(super) fn preview(out: &Output, preview: &Preview) {
    let Preview { schedule, zone, .. } = preview;
    out.line(out.paint(Tone::Strong, format!("Schedule {schedule} ({zone})")));
    let row = |one: &SegmentReport| {
        vec![
            local(one.start),
            local(one.end),
            one.primary.clone(),
            name(one.secondary.as_ref()),
            match one.source {
                Source::Fallback => "GAP: fallback".to_owned(),
                Source::CatchAll => "GAP: catch-all".to_owned(),
                source => source.to_string(),
            },
        ]
    };
    out.table(
        &["from", "to", "primary", "secondary", "source"],
        preview.segments.iter().map(row).collect(),
    );
    out.line("");
    let hours = |hours: f64| format!("{hours:.1}");
    let rows = preview.load.iter().map(|one| {
        vec![
            one.name.clone(),
            hours(one.hours),
            hours(one.nights),
            hours(one.weekends),
            hours(one.secondary),
            one.pages.to_string(),
        ]
    });
    out.table(
        &[
            "who",
            "hours",
            "nights",
            "weekends",
            "as secondary",
            "pages in 4 weeks",
        ],
        rows.collect(),
    );
    let gaps = preview.gaps.as_secs_f64() / 3_600.0;
    if gaps > 0.0 {
        out.line("");
        let alarm = format!("{gaps:.1} hours are gaps: no primary has them.");
        out.line(out.paint(Tone::Alarm, alarm));
    }
}

pub(super) fn replay(out: &Output, replay: &Replay) {
    let Replay {
        schedule,
        tickets,
        pages,
        ..
    } = replay;
    out.line(format!(
        "Schedule {schedule}, tickets since {}: {tickets}, of which {pages} would have been paged for.",
        local(replay.from)
    ));
    let rows = replay.people.iter().map(|one| {
        vec![
            one.name.clone(),
            one.pages.to_string(),
            one.calls.to_string(),
            one.nights.to_string(),
            one.weekends.to_string(),
        ]
    });
    let rows: Vec<Vec<String>> = rows.collect();
    if !rows.is_empty() {
        out.table(&["who", "pages", "calls", "at night", "at weekends"], rows);
    }
    if replay.catch_all > 0 {
        let alarm = format!(
            "{} calls would have found nobody on call.",
            replay.catch_all
        );
        out.line(out.paint(Tone::Alarm, alarm));
    }
}

pub(super) fn schedules(out: &Output, found: &[ScheduleReport]) {
    if found.is_empty() {
        out.line("There is no schedule: the admins are called.");
        out.line("`tierdesk oncall schedule set --file ROTA.toml` makes one; docs/oncall.md shows a file.");
        return;
    }
    for one in found {
        let tiers = match one.tiers.join(", ") {
            tiers if tiers.is_empty() => "no tier goes by it".to_owned(),
            tiers => tiers,
        };
        out.line(out.paint(
            Tone::Strong,
            format!("{} ({}): {tiers}", one.slug, one.zone),
        ));
        rotations(out, &one.rotations);
    }
}

pub(super) fn temporaries(out: &Output, found: &[TemporaryReport]) {
    if found.is_empty() {
        out.line("No temporary schedule holds, or will.");
    }
    for one in found {
        let span = format!("{} to {}", local(one.start), local(one.end));
        let title = format!("{} from {span}: {}", one.schedule, one.reason);
        out.line(out.paint(Tone::Strong, title));
        out.line(format!("  {}", one.id));
        rotations(out, &one.rotations);
    }
}

fn rotations(out: &Output, rotations: &[RotationReport]) {
    let rows = rotations.iter().map(|one| {
        vec![
            format!("  {}", one.layer),
            one.people.join(", "),
            format!("every {}", one.every),
            format!("from {}", one.starts.strftime("%Y-%m-%d %H:%M")),
            one.days.clone(),
        ]
    });
    out.table(
        &["  layer", "people", "shift", "starts", "days"],
        rows.collect(),
    );
}

pub(super) fn written(out: &Output, written: &Written) {
    for one in &written.schedules {
        let what = match (one.action, written.dry_run) {
            ("add", false) => "is made",
            ("add", true) => "would be made",
            ("change", false) => "is changed",
            ("change", true) => "would be changed",
            _ => "stays as it is",
        };
        out.line(out.paint(Tone::Strong, format!("{} {what}", one.slug)));
        for line in &one.changes {
            out.line(format!("  {line}"));
        }
        for line in &one.warnings {
            out.line(out.paint(Tone::Alarm, format!("  ! {line}")));
        }
    }
}
