//! Who is on call.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use tierdesk_core::{
    desk::oncall::Place,
    ids::{AbsenceId, OverrideId, TemporaryId},
    oncall::Layer,
    tiers::TierSlug,
};

#[derive(Debug, Subcommand)]
pub(crate) enum OncallCommand {
    /// Shows who is on call for every tier.
    Now {
        /// At another instant: 2026-12-24T09:00Z, or a time in UTC.
        #[arg(long, value_name = "TIME")]
        at: Option<String>,
    },
    /// Shows the weeks ahead: who is on call, where nobody is, and how the burden is spread.
    #[command(after_help = "Example: tierdesk oncall preview --tier fintech --weeks 8")]
    Preview {
        #[command(flatten)]
        place: PlaceArgs,
        /// How many weeks.
        #[arg(long, default_value = "4", value_parser = clap::value_parser!(u32).range(1..=104))]
        weeks: u32,
        /// From when; now where absent.
        #[arg(long, value_name = "TIME")]
        from: Option<String>,
        /// Until when, in place of --weeks.
        #[arg(long, value_name = "TIME")]
        to: Option<String>,
        /// Look back instead: whom the rules and the rota as they are now would have called for the tickets of
        /// these days, how often, and how often at night.
        #[arg(long, value_name = "DAYS", value_parser = days, conflicts_with_all = ["from", "to", "weeks"])]
        replay: Option<std::time::Duration>,
    },
    /// Who takes turns.
    #[command(subcommand)]
    Schedule(ScheduleCommand),
    /// Puts somebody on call whoever's turn it is, for a reason.
    #[command(
        after_help = "Times without a zone are those of the schedule's clocks. Of several overrides the one made last \
        holds.\n\
        Example: tierdesk oncall override --tier fintech --who dana --from '2026-12-24 09:00' --to '2026-12-25 09:00' \
        --reason 'lee is at the doctor'"
    )]
    Override(OverrideArgs),
    /// Shifts that change hands.
    #[command(subcommand)]
    Swap(SwapCommand),
    /// Who is away: they are not called, whatever the rota says.
    #[command(subcommand)]
    Absence(AbsenceCommand),
    /// Schedules that hold for some time: holidays, a release.
    #[command(subcommand)]
    Temporary(TemporaryCommand),
    #[command(flatten)]
    Paging(super::PagingCommand),
    /// Shows how the desk's self-tests go: from a mail of its own to a page that it hears.
    Watchdog,
    /// A person's shifts as a calendar under a secret address.
    #[command(subcommand)]
    Calendar(CalendarCommand),
}

/// Which schedule.
#[derive(Args, Debug)]
#[group(required = true, multiple = false)]
pub(crate) struct PlaceArgs {
    /// That of this tier.
    #[arg(long)]
    tier: Option<TierSlug>,
    /// The one of this name.
    #[arg(long)]
    schedule: Option<String>,
}

impl PlaceArgs {
    /// The schedule; one of the two is always given.
    pub(crate) fn place(self) -> Place {
        match self.tier {
            Some(tier) => Place::Tier(tier),
            None => Place::Schedule(self.schedule.unwrap_or_default()),
        }
    }
}

/// Which schedule, where it may be absent.
#[derive(Args, Debug)]
#[group(multiple = false)]
pub(crate) struct OptionalPlace {
    /// That of this tier.
    #[arg(long)]
    tier: Option<TierSlug>,
    /// The one of this name.
    #[arg(long)]
    schedule: Option<String>,
}

impl OptionalPlace {
    pub(crate) fn place(self) -> Option<Place> {
        match (self.tier, self.schedule) {
            (Some(tier), _) => Some(Place::Tier(tier)),
            (None, Some(schedule)) => Some(Place::Schedule(schedule)),
            (None, None) => None,
        }
    }
}

#[derive(Debug, Subcommand)]
pub(crate) enum ScheduleCommand {
    /// Lists every schedule.
    List,
    /// Shows one.
    Show {
        /// Its name.
        slug: String,
    },
    /// Brings schedules in line with a file; those that it does not name stay.
    #[command(
        after_help = "docs/oncall.md shows a file. Example: tierdesk oncall schedule set --file rota.toml"
    )]
    Set {
        /// The file.
        #[arg(long)]
        file: PathBuf,
        /// Only say what would change, and where gaps would be.
        #[arg(long)]
        dry_run: bool,
    },
    /// Prints every schedule as a file that `set` reads.
    Export,
    /// Removes a schedule that no tier goes by, with its overrides.
    Remove {
        /// Its name.
        slug: String,
    },
}

/// An override: made, taken back, or listed.
#[derive(Args, Debug)]
#[command(group(clap::ArgGroup::new("what").args(["who", "remove", "list"]).required(true)))]
pub(crate) struct OverrideArgs {
    #[command(flatten)]
    pub(crate) place: OptionalPlace,
    /// Who is on call.
    #[arg(long, requires_all = ["from", "to", "reason"])]
    pub(crate) who: Option<String>,
    /// From when: 2026-12-24 09:00, 2026-12-24T08:00Z, or now.
    #[arg(long, value_name = "TIME")]
    pub(crate) from: Option<String>,
    /// Until when.
    #[arg(long, value_name = "TIME")]
    pub(crate) to: Option<String>,
    /// Why; it is kept.
    #[arg(long)]
    pub(crate) reason: Option<String>,
    /// primary or secondary.
    #[arg(long, default_value = "primary")]
    pub(crate) layer: Layer,
    /// Take this one back.
    #[arg(long, value_name = "ID")]
    pub(crate) remove: Option<OverrideId>,
    /// List those that hold, or will.
    #[arg(long)]
    pub(crate) list: bool,
}

#[derive(Debug, Subcommand)]
pub(crate) enum SwapCommand {
    /// Lists shifts that are offered or changed hands.
    List,
    /// Offers your shift, or part of it. You have it until somebody takes it.
    #[command(
        after_help = "Example: tierdesk oncall swap offer --tier fintech --from '2026-12-24 09:00'"
    )]
    Offer {
        #[command(flatten)]
        place: PlaceArgs,
        /// From when.
        #[arg(long, value_name = "TIME")]
        from: String,
        /// Until when; the end of the shift where absent.
        #[arg(long, value_name = "TIME")]
        to: Option<String>,
        /// Why.
        #[arg(long)]
        reason: Option<String>,
        /// primary or secondary.
        #[arg(long, default_value = "primary")]
        layer: Layer,
        /// Whose shift; admins only.
        #[arg(long = "for", value_name = "NAME")]
        whose: Option<String>,
    },
    /// Takes a shift over: an offered one by its id, or with a reason one that was not offered.
    #[command(
        after_help = "Examples:\n  tierdesk oncall swap take 01990000-0000-7000-8000-000000000000\n  \
        tierdesk oncall swap take --tier fintech --from now --reason 'lee has lost their phone'"
    )]
    Take {
        /// The id, from `swap list`.
        #[arg(conflicts_with_all = ["tier", "schedule", "from", "to"], required_unless_present = "from")]
        id: Option<OverrideId>,
        #[command(flatten)]
        place: OptionalPlace,
        /// From when.
        #[arg(long, value_name = "TIME", requires = "reason")]
        from: Option<String>,
        /// Until when; the end of the shift where absent.
        #[arg(long, value_name = "TIME")]
        to: Option<String>,
        /// Why.
        #[arg(long)]
        reason: Option<String>,
        /// primary or secondary.
        #[arg(long, default_value = "primary")]
        layer: Layer,
        /// Who takes it; admins only.
        #[arg(long = "for", value_name = "NAME")]
        taker: Option<String>,
    },
    /// Gives back what you took, or takes back what you offered.
    GiveBack {
        /// The id.
        id: OverrideId,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum AbsenceCommand {
    /// Lists absences that are not over.
    List,
    /// Says that you are away, or for an admin somebody else.
    #[command(
        after_help = "Example: tierdesk oncall absence add --from 2026-12-24 --to 2027-01-02 --reason holidays"
    )]
    Add {
        /// Who; you where absent.
        name: Option<String>,
        /// From when.
        #[arg(long, value_name = "TIME")]
        from: String,
        /// Until when.
        #[arg(long, value_name = "TIME")]
        to: String,
        /// Why.
        #[arg(long)]
        reason: String,
    },
    /// Takes an absence back.
    Remove {
        /// The id.
        id: AbsenceId,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum TemporaryCommand {
    /// Lists those that are not over.
    List,
    /// Adds those of a file. Where they have nobody, the fallback is called.
    Set {
        /// The file.
        #[arg(long)]
        file: PathBuf,
    },
    /// Takes one back.
    Remove {
        /// The id.
        id: TemporaryId,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum CalendarCommand {
    /// Opens a calendar and prints its secret address, once. An earlier address is closed.
    Add {
        /// Whose; yours where absent.
        name: Option<String>,
    },
    /// Closes a calendar.
    Remove {
        /// Whose; yours where absent.
        name: Option<String>,
    },
}

/// `30d`, a year at most.
fn days(text: &str) -> Result<std::time::Duration, String> {
    let days = text.strip_suffix('d').unwrap_or(text).parse::<u64>();
    match days {
        Ok(days @ 1..=366) => Ok(std::time::Duration::from_hours(24 * days)),
        _ => Err("write a number of days from 1d to 366d".to_owned()),
    }
}
