//! Debian's Postfix on loopback, with a configuration and a queue of its own: nothing of the
//! machine's mail system is read or touched. It needs root, as Postfix always does to start.

use std::{
    fs,
    net::SocketAddr,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
    process::{Command, Output},
    time::{Duration, Instant},
};

use crate::served::address_of_its_own;

/// Where it delivers mail for securebase.example and acmefinance.com.
#[derive(Clone, Copy, Debug)]
pub enum Delivery {
    /// To an LMTP server.
    Lmtp(SocketAddr),
    /// Into a Maildir, one file a mail.
    Maildir,
}

/// A running Postfix. Dropped, it is stopped and everything of it is removed.
#[derive(Debug)]
pub struct Postfix {
    folder: tempfile::TempDir,
    address: SocketAddr,
}

/// The user that owns delivered mail: nobody, who exists everywhere.
const NOBODY: u32 = 65_534;

impl Postfix {
    /// Starts one. Without Postfix or without root this panics and says what to do: a test that
    /// was left out must not count as passed.
    pub fn start(delivery: Delivery) -> Self {
        assert!(
            program().exists(),
            "Postfix is missing: run the tests with tests/run, which installs it (package postfix)"
        );
        assert!(
            nix::unistd::geteuid().is_root(),
            "Postfix starts as root only: run these tests as root, or leave them out by name \
             (-E 'not test(postfix)') and let CI run them"
        );
        let folder = tempfile::tempdir().expect("a temporary folder");
        let address = address_of_its_own();
        let postfix = Self { folder, address };
        postfix.configure(delivery);
        let started = postfix.run(&["start"]);
        assert!(started.status.success(), "{started:?}\n{}", postfix.log());
        let deadline = Instant::now() + Duration::from_secs(20);
        while std::net::TcpStream::connect(address).is_err() {
            assert!(
                Instant::now() < deadline,
                "it does not listen\n{}",
                postfix.log()
            );
            std::thread::sleep(Duration::from_millis(50));
        }
        postfix
    }

    /// Where it takes SMTP.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// How many mails are in its queue.
    pub fn queued(&self) -> usize {
        let queue = Command::new("/usr/sbin/postqueue")
            .args(["-c", &self.path("etc"), "-j"])
            .output()
            .expect("postqueue runs");
        assert!(queue.status.success(), "{queue:?}\n{}", self.log());
        String::from_utf8_lossy(&queue.stdout).lines().count()
    }

    /// Has it try everything in its queue now.
    pub fn flush(&self) {
        let flushed = Command::new("/usr/sbin/postqueue")
            .args(["-c", &self.path("etc"), "-f"])
            .output()
            .expect("postqueue runs");
        assert!(flushed.status.success(), "{flushed:?}\n{}", self.log());
    }

    /// How many mails are in the Maildir.
    pub fn delivered(&self) -> usize {
        fs::read_dir(self.folder.path().join("mail/inbox/new")).map_or(0, Iterator::count)
    }

    /// The mails in the Maildir, as bytes.
    pub fn mails(&self) -> Vec<Vec<u8>> {
        let folder = fs::read_dir(self.folder.path().join("mail/inbox/new"));
        let files = folder.into_iter().flatten().flatten();
        files
            .map(|file| fs::read(file.path()).expect("it can be read"))
            .collect()
    }

    /// What it logged.
    pub fn log(&self) -> String {
        fs::read_to_string(self.folder.path().join("log")).unwrap_or_default()
    }

    fn path(&self, name: &str) -> String {
        self.folder.path().join(name).display().to_string()
    }

    fn run(&self, arguments: &[&str]) -> Output {
        Command::new(program())
            .args(["-c", &self.path("etc")])
            .args(arguments)
            .output()
            .expect("postfix runs")
    }

    fn configure(&self, delivery: Delivery) {
        let folder = self.folder.path();
        // Its processes are different users, which must reach what is theirs.
        open_to_all(folder);
        for name in ["etc", "queue", "data", "mail"] {
            fs::create_dir(folder.join(name)).expect("it is made");
        }
        open_to_all(&folder.join("etc"));
        open_to_all(&folder.join("queue"));
        let postfix = nix::unistd::User::from_name("postfix")
            .expect("users can be read")
            .expect("the package makes the user postfix");
        std::os::unix::fs::chown(folder.join("data"), Some(postfix.uid.as_raw()), None)
            .expect("root may");
        std::os::unix::fs::chown(folder.join("mail"), Some(NOBODY), None).expect("root may");
        let transport = match delivery {
            Delivery::Lmtp(to) => format!("lmtp:inet:[{}]:{}", to.ip(), to.port()),
            Delivery::Maildir => "virtual".to_owned(),
        };
        let main = format!(
            "compatibility_level = 3.6\n\
             queue_directory = {queue}\n\
             data_directory = {data}\n\
             maillog_file = {log}\n\
             maillog_file_prefixes = {root}\n\
             mail_owner = postfix\n\
             setgid_group = postdrop\n\
             command_directory = /usr/sbin\n\
             daemon_directory = /usr/lib/postfix/sbin\n\
             meta_directory = /etc/postfix\n\
             shlib_directory = /usr/lib/postfix\n\
             myhostname = mx.securebase.example\n\
             mydestination =\n\
             mynetworks = 127.0.0.0/8\n\
             inet_interfaces = 127.0.0.1\n\
             inet_protocols = ipv4\n\
             default_transport = error:nothing leaves\n\
             smtpd_recipient_restrictions = reject_unauth_destination\n\
             virtual_mailbox_domains = securebase.example, acmefinance.com\n\
             virtual_mailbox_maps = static:inbox/\n\
             virtual_mailbox_base = {mail}\n\
             virtual_uid_maps = static:{NOBODY}\n\
             virtual_gid_maps = static:{NOBODY}\n\
             virtual_transport = {transport}\n\
             alias_maps =\n\
             local_recipient_maps =\n\
             queue_run_delay = 1s\n\
             minimal_backoff_time = 1s\n\
             maximal_backoff_time = 2s\n\
             in_flow_delay = 0\n\
             smtpd_client_connection_count_limit = 0\n\
             default_process_limit = 50\n",
            queue = self.path("queue"),
            data = self.path("data"),
            log = self.path("log"),
            root = folder.display(),
            mail = self.path("mail"),
        );
        fs::write(folder.join("etc/main.cf"), main).expect("it is written");
        let port = self.address.port();
        let mut master = format!("127.0.0.1:{port} inet n - n - - smtpd\n");
        for service in SERVICES {
            master.push_str(service);
            master.push('\n');
        }
        fs::write(folder.join("etc/master.cf"), master).expect("it is written");
    }
}

impl Drop for Postfix {
    fn drop(&mut self) {
        let _ = self.run(&["stop"]);
    }
}

/// What a Postfix needs that takes mail and delivers it to one place, as in Debian's master.cf.
const SERVICES: &[&str] = &[
    "pickup unix n - n 60 1 pickup",
    "cleanup unix n - n - 0 cleanup",
    "qmgr unix n - n 300 1 qmgr",
    "rewrite unix - - n - - trivial-rewrite",
    "bounce unix - - n - 0 bounce",
    "defer unix - - n - 0 bounce",
    "trace unix - - n - 0 bounce",
    "flush unix n - n 1000? 0 flush",
    "proxymap unix - - n - - proxymap",
    "showq unix n - n - - showq",
    "error unix - - n - - error",
    "retry unix - - n - - error",
    "discard unix - - n - - discard",
    "virtual unix - n n - - virtual",
    "lmtp unix - - n - - lmtp",
    "anvil unix - - n - 1 anvil",
    "scache unix - - n - 1 scache",
    "postlog unix-dgram n - n - 1 postlogd",
];

fn program() -> PathBuf {
    PathBuf::from("/usr/sbin/postfix")
}

fn open_to_all(folder: &Path) {
    fs::set_permissions(folder, fs::Permissions::from_mode(0o755)).expect("it is ours");
}
