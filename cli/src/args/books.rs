//! The books: jobs, the audit trail, the database.

use std::path::PathBuf;

use clap::Subcommand;
use tierdesk_core::ids::JobId;

#[derive(Debug, Subcommand)]
pub(crate) enum JobsCommand {
    /// Lists jobs that wait, run or were given up.
    List {
        /// Done ones too.
        #[arg(long)]
        all: bool,
        /// At most so many.
        #[arg(long, default_value_t = 200)]
        limit: i64,
    },
    /// Shows a job with its payload.
    Show {
        /// The job's id.
        id: JobId,
    },
    /// Runs a dead letter, or a job that waits for a later try, now.
    Retry {
        /// The job's id.
        id: JobId,
    },
    /// Gives a dead letter, or a job that waits, up for good.
    Drop {
        /// The job's id.
        id: JobId,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum AuditCommand {
    /// Lists the latest entries, newest first.
    List {
        /// Only of this subject: ticket:SB-12, customer:acme-finance.
        #[arg(long, default_value = "")]
        subject: String,
        /// At most so many.
        #[arg(long, default_value_t = 50)]
        limit: i64,
    },
    /// Seals what is new, then recomputes the chain; or checks an exported file, which needs nothing but the
    /// file. Exit code 1 when it does not hold.
    Verify {
        /// A file that `audit export` wrote.
        #[arg(long)]
        file: Option<PathBuf>,
        /// A file of anchors to compare the exported one with.
        #[arg(long, value_name = "FILE", requires = "file")]
        anchors: Option<PathBuf>,
    },
    /// Writes the entries about a customer as a file that proves itself: theirs whole, of others the hashes.
    #[command(
        after_help = "Example: tierdesk audit export --customer medicorp --from 2026-01-01 --to 2027-01-01 --out medicorp.jsonl\n\
        tierdesk audit verify --file medicorp.jsonl --anchors anchors.txt"
    )]
    Export {
        /// The customer's handle.
        #[arg(long)]
        customer: String,
        /// From this day or instant on.
        #[arg(long)]
        from: String,
        /// Up to this day or instant, without it.
        #[arg(long)]
        to: String,
        /// The file to write; it must not be there. Standard output where absent.
        #[arg(long, value_name = "FILE")]
        out: Option<PathBuf>,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum DbCommand {
    /// Brings the schema up to date; one that is newer than the program is refused.
    Migrate,
}
