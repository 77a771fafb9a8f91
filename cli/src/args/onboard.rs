//! `tierdesk onboard …`.

use clap::{Args as ClapArgs, Subcommand};
use tierdesk_core::{
    customers::{DomainName, EmailAddress, Prefix},
    tiers::TierSlug,
};

#[derive(Debug, Subcommand)]
pub(crate) enum OnboardCommand {
    /// Looks at the cloud and says what an onboarding would do; changes nothing there.
    #[command(
        after_help = "Example: tierdesk onboard plan \"Acme Bank\" --tier fintech --contact ops@acmebank.com --domain acmebank.com"
    )]
    Plan(NewOnboarding),
    /// Onboards a customer: plans and starts, or starts the plan with --hash. Never waits for approvals.
    #[command(after_help = "Example: tierdesk onboard start --hash 3f9ac2\n\
        The steps run here unless `tierdesk serve` runs; stop at any time, then: tierdesk onboard resume CUSTOMER")]
    Start(StartOnboarding),
    /// Agrees to somebody else's onboarding.
    Approve {
        /// The onboarding or the customer.
        run: String,
        /// The plan that is meant: the first letters of its hash, six at least.
        #[arg(long)]
        hash: Option<String>,
    },
    /// Shows how an onboarding stands.
    Status {
        /// The onboarding or the customer.
        run: String,
    },
    /// Lists onboardings that are not over.
    List {
        /// Those that are over too.
        #[arg(long)]
        all: bool,
    },
    /// Goes on with an onboarding that failed or was cut off.
    Resume {
        /// The onboarding or the customer.
        run: String,
        /// Leave the work to `tierdesk serve`.
        #[arg(long)]
        detach: bool,
    },
    /// Gives an onboarding up; what was made in the cloud stays.
    Cancel {
        /// The onboarding or the customer.
        run: String,
    },
    /// Compares a customer with the cloud. Exit code 1 when they differ.
    Verify {
        /// The customer.
        customer: String,
    },
}

#[derive(ClapArgs, Debug)]
pub(crate) struct NewOnboarding {
    /// The company's name.
    pub(crate) name: String,
    /// standard, fintech, healthcare or gov-federal.
    #[arg(long)]
    pub(crate) tier: TierSlug,
    /// The first contact's address; gets access to the account.
    #[arg(long, value_name = "ADDRESS")]
    pub(crate) contact: EmailAddress,
    /// Their mail domain.
    #[arg(long)]
    pub(crate) domain: DomainName,
    /// Their short name in AWS.
    #[arg(long)]
    pub(crate) prefix: Option<Prefix>,
}

#[derive(ClapArgs, Debug)]
pub(crate) struct StartOnboarding {
    /// The company's name.
    #[arg(required_unless_present = "hash", conflicts_with = "hash", requires_all = ["tier", "contact", "domain"])]
    pub(crate) name: Option<String>,
    /// standard, fintech, healthcare or gov-federal.
    #[arg(long)]
    pub(crate) tier: Option<TierSlug>,
    /// The first contact's address; gets access to the account.
    #[arg(long, value_name = "ADDRESS")]
    pub(crate) contact: Option<EmailAddress>,
    /// Their mail domain.
    #[arg(long)]
    pub(crate) domain: Option<DomainName>,
    /// Their short name in AWS.
    #[arg(long)]
    pub(crate) prefix: Option<Prefix>,
    /// Start exactly this plan: the first letters of its hash, six at least.
    #[arg(long)]
    pub(crate) hash: Option<String>,
    /// Leave the work to `tierdesk serve`.
    #[arg(long)]
    pub(crate) detach: bool,
    /// Go on without others' approval, for this reason; only where too few could approve. Audited.
    #[arg(long, value_name = "REASON")]
    pub(crate) sole_operator: Option<String>,
}
