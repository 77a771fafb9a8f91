//! The books: jobs, the audit trail, the database.

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
    /// Seals what is new, then recomputes the chain. Exit code 1 when it does not hold.
    Verify,
}

#[derive(Debug, Subcommand)]
pub(crate) enum DbCommand {
    /// Brings the schema up to date; one that is newer than the program is refused.
    Migrate,
}
