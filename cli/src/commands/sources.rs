//! Mailboxes named on the command line.

use std::path::PathBuf;

use tierdesk_core::refusal::Refusal;
use tierdesk_ingest::sources::Source;

/// Opens every path, or says everything that is wrong with them.
pub(super) fn open(paths: &[PathBuf]) -> anyhow::Result<Vec<Source>> {
    let (mut sources, mut faults) = (Vec::new(), Vec::new());
    for path in paths {
        match Source::open(path) {
            Ok(source) => sources.push(source),
            Err(fault) => faults.push(tierdesk_core::telemetry::chain(&fault)),
        }
    }
    if faults.is_empty() {
        return Ok(sources);
    }
    Err(Refusal::invalid(faults.join("\n"))
        .with_hint("nothing was read; correct the paths")
        .into())
}
