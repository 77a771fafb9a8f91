//! `/help`: what there is, with examples.

use tierdesk_core::desk::{Error, chat};

use super::{Answer, Asked};

const HELP: &str = "**Customers**
`/customer show who:acme` — tier, framework, account, open tickets. Type a part of a name, domain, address or account id and pick.
`/customer search words:bank` · `/customer list tier:fintech`
**Tickets** — in a ticket's own thread you need not name it
`/ticket list whose:mine` · `/ticket show ticket:SB-12`
`/ticket take` · `/ticket status status:on-hold` · `/ticket note text:called back` · `/ticket close reason:done`
`/ticket bind customer:acme ticket:SB-12` — for tickets in triage
Each card has buttons for the same. Notes are for colleagues; nothing typed here goes to a customer. Reply… picks an answer from a list, shows it, and sends it once you say so.
**On call**
`/oncall now` · `/oncall pages` · `/oncall ack ticket:SB-12` — who is called has the same as buttons, in the thread and in a direct message
**Onboarding**
`/onboard plan name:Acme Bank tier:fintech contact:ops@acme.example domain:acme.example` — changes nothing
`/onboard start run:…` · `/onboard approve run:…` · `/onboard status run:…`

Answers here are seen by you alone. Of the strictest tiers little is shown, and no text is taken: use the terminal, `tierdesk --help`.";

pub(super) async fn run(asked: &Asked<'_>) -> Result<Answer, Error> {
    // Strangers are told who lets them in rather than what there is.
    chat::may_use(&asked.bot.desk, asked.actor).await?;
    Ok(Answer::say(HELP))
}
