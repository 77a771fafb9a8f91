//! What the tests of the whole desk stand on: a desk with a database of its own and a clock that
//! is moved by hand, letters as real bytes, and a look at rows past every check.
//!
//! To write a test for both databases, name it in [`on_both!`].

pub mod aws_server;
pub mod bombs;
#[path = "../../fuzz/src/checks.rs"]
pub mod checks;
pub mod corpus;
pub mod cost;
pub mod discord;
pub mod dovecot;
pub mod fake_imap;
pub mod fake_smtp;
mod guild_desk;
pub mod http_client;
mod letter;
mod look;
mod mail_client;
mod mail_desk;
pub mod moto;
pub mod oauth_server;
mod page_desk;
mod postfix;
mod program;
mod secrets;
mod served;
mod stall;
mod test_desk;
pub mod webhook_sink;

pub use guild_desk::{GuildDesk, PATIENCE, discord_settings, make_bot};
pub use letter::Letter;
pub use look::look_into;
pub use mail_client::MailClient;
pub use mail_desk::{MailDesk, Postbox, SUPPORT, SentMail};
pub use page_desk::{Outside, PageDesk, ROTA, Told, login};
pub use postfix::{Delivery, Postfix};
pub use program::{Ended, PROGRAM_VARIABLE, Program};
pub use secrets::{SeededSecret, seeded_secrets};
pub use served::{Served, address_of_its_own};
pub use stall::Stall;
pub use test_desk::{START, TestDesk, drop_databases, ingest, owner};
pub use tierdesk_core::store::testing::Backend;
pub use webhook_sink::WebhookSink;

/// Makes the tests `name::sqlite` and `name::postgres` of each `async fn name(backend: Backend)`
/// named. One that is not named is unused, which the compiler tells. A test that passes leaves no
/// database behind.
#[macro_export]
macro_rules! on_both {
    ($($name:ident),+ $(,)?) => {$(
        mod $name {
            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn sqlite() {
                super::$name($crate::Backend::Sqlite).await;
            }

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn postgres() {
                super::$name($crate::Backend::Postgres).await;
                $crate::drop_databases().await;
            }
        }
    )+};
}
