//! The program itself is killed at named points, and `onboard resume` goes on.

use tierdesk_core::store::OpenOptions;
use tierdesk_provision::{SimulatedCloud, simulated::Pace};
use tierdesk_tests::{Backend, Program, TestDesk, on_both};

on_both! {
    the_program_dies_and_another_goes_on,
}

const NEW: [&str; 9] = [
    "onboard",
    "start",
    "New Bank",
    "--tier",
    "standard",
    "--contact",
    "ops@newbank.com",
    "--domain",
    "newbank.com",
];

async fn the_program_dies_and_another_goes_on(backend: Backend) {
    for point in [
        "onboard.begun:2",
        "onboard.acted:2",
        "onboard.account_intended:1",
        "onboard.account_sent:1",
        "onboard.recorded:5",
    ] {
        let (url, _folder) = TestDesk::place(backend).await;
        let program = Program::new(url);
        let cut = program.clone().with("TIERDESK_FAULT", point);
        let died = cut.run(&NEW);
        assert_eq!(died.code, None, "{point} was not met: {died:?}");
        println!("{backend:?} {point}: 1 hit");
        // Its lease would end in a minute and a half; a person need not wait for that.
        let database = OpenOptions::new(program.url())
            .open()
            .await
            .expect("it opens");
        let sql = "UPDATE jobs SET leased_until = run_at WHERE state = 'leased'";
        database.tamper(sql, sql).await;
        let resumed = program.run(&["onboard", "resume", "new-bank", "--json"]);
        let report = resumed.done().json();
        assert_eq!(report["state"], "done", "{point}: {report}");
        assert!(
            resumed.err.contains("account"),
            "progress goes to stderr: {}",
            resumed.err
        );
        let machine = SimulatedCloud::new(database.clone(), Pace::QUICK)
            .machine()
            .await;
        let picture = machine.expect("it is read").picture();
        assert_eq!(
            picture["accounts"].as_array().map(Vec::len),
            Some(2),
            "{point}"
        );
        database.close().await;
        program.run(&["onboard", "verify", "new-bank"]).done();
        crate::crash::assert_settled(&program);
    }
}
