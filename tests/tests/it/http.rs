//! What the program answers over HTTP, to clients that mean well and to those that do not.

mod health;
mod hostile;
mod pagerduty;

use tierdesk_tests::{Backend, Program, TestDesk};

const CUSTOMERS: &str = include_str!("../../../config/customers.toml");

/// A desk with the first customers, brought in by the program, whose audit trail is sealed.
async fn desk(backend: Backend) -> (TestDesk, Program) {
    let test = TestDesk::new(backend).await;
    let program = Program::new(&test.url);
    let import = ["customer", "import", "-", "--format", "toml"];
    program.run_with(&import, CUSTOMERS.as_bytes()).done();
    (test, program)
}
