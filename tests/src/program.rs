//! Running the program itself, as a user or a mail server would.

use std::{
    fs::File,
    io::Write as _,
    path::{Path, PathBuf},
    process::{Child, Command, Output, Stdio},
};

use crate::cost::{self, Cost};

/// The environment variable that names the program to test; `tests/run` sets it.
pub const PROGRAM_VARIABLE: &str = "TIERDESK_BIN";

/// The program with a database.
#[derive(Clone, Debug)]
pub struct Program {
    url: String,
    variables: Vec<(String, String)>,
}

/// What a run of the program left.
#[derive(Clone, Debug)]
pub struct Ended {
    /// The exit code; `None` when a signal ended it.
    pub code: Option<i32>,
    /// Standard output.
    pub out: String,
    /// Standard error.
    pub err: String,
}

impl Ended {
    fn of(output: Output) -> Self {
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("the program prints UTF-8");
        Self {
            code: output.status.code(),
            out: text(output.stdout),
            err: text(output.stderr),
        }
    }

    /// Standard output as the one JSON document it must be.
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.out).unwrap_or_else(|fault| panic!("{fault} in {self:?}"))
    }

    /// The same, of a run that must have succeeded.
    pub fn done(&self) -> &Self {
        assert_eq!(self.code, Some(0), "{self:?}");
        self
    }
}

impl Program {
    /// As the program names whoever runs it.
    pub fn own_login() -> String {
        let id = nix::unistd::getuid();
        nix::unistd::User::from_uid(id)
            .ok()
            .flatten()
            .map_or_else(|| format!("uid-{id}"), |user| user.name)
    }

    /// The program on this database, with no configuration of the machine's.
    pub fn new(url: impl Into<String>) -> Self {
        Self {
            url: url.into(),
            variables: Vec::new(),
        }
    }

    /// The same with a variable in its environment.
    #[must_use]
    pub fn with(mut self, name: &str, value: impl Into<String>) -> Self {
        self.variables.push((name.to_owned(), value.into()));
        self
    }

    /// Where its database is.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// A command that is not started yet.
    pub fn command(&self, arguments: &[&str]) -> Command {
        let binary =
            std::env::var_os(PROGRAM_VARIABLE).map_or_else(beside_the_tests, PathBuf::from);
        assert!(
            binary.exists(),
            "{} is not built: run the tests with tests/run, or cargo build -p tierdesk --features testing",
            binary.display()
        );
        let mut command = Command::new(binary);
        command
            .args(arguments)
            .env_clear()
            .env("HOME", "/nonexistent")
            .env("TIERDESK_DATABASE_URL", &self.url)
            .envs(self.variables.iter().map(|(name, value)| (name, value)))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command
    }

    /// Starts a run and leaves it alone.
    pub fn start(&self, arguments: &[&str]) -> Child {
        self.command(arguments)
            .stdin(Stdio::null())
            .spawn()
            .expect("the program starts")
    }

    /// Runs to the end with nothing on standard input.
    pub fn run(&self, arguments: &[&str]) -> Ended {
        self.run_with(arguments, b"")
    }

    /// Runs to the end with this file as standard input, and looks at what it costs.
    pub fn run_measured(&self, arguments: &[&str], input: &Path) -> (Ended, Cost) {
        let mut command = self.command(arguments);
        command.stdin(File::open(input).expect("the input can be opened"));
        let (output, cost) = cost::measured(&mut command);
        (Ended::of(output), cost)
    }

    /// Runs to the end with `input` on standard input.
    pub fn run_with(&self, arguments: &[&str], input: &[u8]) -> Ended {
        let mut child = self.command(arguments).spawn().expect("the program starts");
        let mut stdin = child.stdin.take().expect("standard input is piped");
        let input = input.to_vec();
        // Beside the reader, or both would wait for each other. A program that does not read its
        // input closes it, which is no fault.
        let writer = std::thread::spawn(move || drop(stdin.write_all(&input)));
        let output = child.wait_with_output().expect("the program ends");
        writer.join().expect("writing its input does not panic");
        Ended::of(output)
    }
}

/// `target/debug/tierdesk`, from `target/debug/deps/it-…`.
fn beside_the_tests() -> PathBuf {
    let mut path = std::env::current_exe().expect("a test knows where it is");
    path.pop();
    if path.ends_with("deps") {
        path.pop();
    }
    path.join("tierdesk")
}
