//! How long it will take, from what steps took before.

use std::collections::BTreeMap;

use super::{Finding, StepName, Verdict};

/// Seconds: at least, probably, at most.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Estimate {
    /// If everything is quick.
    pub low: i64,
    /// Half of all runs take less.
    pub likely: i64,
    /// If everything is slow.
    pub high: i64,
}

/// Fewer measurements say nothing.
const ENOUGH: usize = 3;

/// Seconds before anything was measured: as AWS is said to be.
fn assumed(step: StepName) -> [f64; 3] {
    match step {
        StepName::Account => [20.0, 60.0, 180.0],
        StepName::AccountUsable => [10.0, 60.0, 300.0],
        StepName::Assignments => [10.0, 25.0, 90.0],
        StepName::TierScps | StepName::PermissionSets => [2.0, 4.0, 15.0],
        _ => [0.5, 1.0, 5.0],
    }
}

/// The estimate for a plan. `measured` holds what steps took in runs on the same cloud; `times_faster`
/// is how much quicker than AWS that cloud is.
pub fn estimate(
    findings: &[(StepName, Finding)],
    measured: &BTreeMap<StepName, Vec<f64>>,
    times_faster: f64,
) -> Estimate {
    let mut sums = [0.0; 3];
    for (step, finding) in findings {
        let acts = matches!(finding.verdict, Verdict::Create | Verdict::Adopt);
        if !acts {
            continue;
        }
        let seconds = match measured.get(step) {
            Some(times) if times.len() >= ENOUGH => {
                let mut times = times.clone();
                times.sort_by(f64::total_cmp);
                [times[0], times[times.len() / 2], times[times.len() - 1]]
            }
            _ => assumed(*step).map(|seconds| seconds / times_faster),
        };
        for (sum, seconds) in sums.iter_mut().zip(seconds) {
            *sum += seconds;
        }
    }
    let [low, likely, high] = sums.map(whole);
    Estimate { low, likely, high }
}

#[expect(
    clippy::cast_possible_truncation,
    reason = "seconds of an onboarding fit"
)]
fn whole(seconds: f64) -> i64 {
    seconds.ceil() as i64
}
