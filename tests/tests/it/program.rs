//! The program as its users meet it: what it prints, how it ends, what it refuses.

mod bombs;
mod bulk;
mod demo;
mod doctor;
mod export;
mod faults;
mod hostile;
mod mail;
mod secrets;
mod serving;
mod setting_up;
mod tickets;

use tierdesk_tests::{Backend, Program, TestDesk};

const CUSTOMERS: &str = include_str!("../../../config/customers.toml");

/// The program on a fresh database with the five first customers.
async fn with_customers(backend: Backend) -> (Program, impl Sized) {
    let (url, folder) = TestDesk::place(backend).await;
    let program = Program::new(url);
    let import = ["customer", "import", "-", "--format", "toml"];
    program.run_with(&import, CUSTOMERS.as_bytes()).done();
    (program, folder)
}

/// A short mail.
fn letter(from: &str, subject: &str, id: &str) -> Vec<u8> {
    format!(
        "From: {from}\r\nTo: support@securebase.example\r\nSubject: {subject}\r\n\
         Message-ID: <{id}>\r\nDate: Mon, 23 Nov 2026 09:00:00 +0000\r\n\r\nIt does not work.\r\n"
    )
    .into_bytes()
}
