//! A Dovecot of one's own: on free ports, in a folder of its own, as nobody's service. Mail is put into
//! its Maildir as a mail server would do it.

use std::{
    fs,
    net::{TcpListener, TcpStream},
    os::unix::fs::{PermissionsExt as _, chown},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use nix::{
    sys::signal::{Signal, kill},
    unistd::{Pid, Uid, User, getgid, getuid},
};

/// The password of every login.
pub const PASSWORD: &str = "correct-horse";
/// The login of the tests.
pub const LOGIN: &str = "support";

/// A running Dovecot.
#[derive(Debug)]
pub struct Dovecot {
    folder: tempfile::TempDir,
    owner: (u32, u32),
    port: u16,
    tls_port: u16,
    running: Option<Child>,
    delivered: u32,
    /// What its certificate is signed with: `localhost`, by itself.
    pub ca_file: PathBuf,
}

impl Dovecot {
    /// Starts one with an empty mailbox.
    ///
    /// # Panics
    /// Where Dovecot is not installed: a test that needs it must not pass without.
    pub fn start() -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        // As root it gives up its rights; its mail must belong to somebody else.
        let owner = if getuid().is_root() {
            let nobody = User::from_name("nobody")
                .ok()
                .flatten()
                .expect("every system has a nobody");
            (nobody.uid.as_raw(), nobody.gid.as_raw())
        } else {
            (getuid().as_raw(), getgid().as_raw())
        };
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755))
            .expect("it is our folder");
        let certified = rcgen::generate_simple_self_signed(["localhost".to_owned()])
            .expect("a certificate is made");
        let ca_file = folder.path().join("cert.pem");
        fs::write(&ca_file, certified.cert.pem()).expect("it is written");
        fs::write(
            folder.path().join("key.pem"),
            certified.signing_key.serialize_pem(),
        )
        .expect("it is written");
        let mut dovecot = Self {
            owner,
            port: free_port(),
            tls_port: free_port(),
            running: None,
            delivered: 0,
            ca_file,
            folder,
        };
        for part in ["", "cur", "new", "tmp"] {
            let path = dovecot.maildir().join(part);
            fs::create_dir_all(&path).expect("it is made");
            dovecot.own(&path);
        }
        dovecot.own(&dovecot.folder.path().join("mail"));
        dovecot.write_configuration();
        dovecot.run();
        dovecot
    }

    fn maildir(&self) -> PathBuf {
        self.folder.path().join("mail").join(LOGIN)
    }

    fn own(&self, path: &Path) {
        chown(path, Some(self.owner.0), Some(self.owner.1)).expect("it is ours to give");
    }

    fn write_configuration(&self) {
        let (uid, gid) = self.owner;
        let dir = self.folder.path().display();
        let mut text = format!(
            "protocols = imap\nlisten = 127.0.0.1\nbase_dir = {dir}/run\nlog_path = {dir}/log\n\
             ssl = yes\nssl_cert = <{dir}/cert.pem\nssl_key = <{dir}/key.pem\n\
             mail_location = maildir:{dir}/mail/%u\ndisable_plaintext_auth = no\n\
             auth_mechanisms = plain login\n\
             first_valid_uid = 1\nfirst_valid_gid = 1\nmail_fsync = never\n\
             passdb {{\n driver = static\n args = password={PASSWORD}\n}}\n\
             userdb {{\n driver = static\n args = uid={uid} gid={gid} home={dir}/mail/%u\n}}\n\
             service imap-login {{\n chroot =\n\
             inet_listener imap {{\n  port = {}\n }}\n inet_listener imaps {{\n  port = {}\n  ssl = yes\n }}\n}}\n\
             service anvil {{\n chroot =\n}}\n",
            self.port, self.tls_port
        );
        if !Uid::is_root(getuid()) {
            let name = User::from_uid(getuid())
                .ok()
                .flatten()
                .map_or_else(|| getuid().to_string(), |user| user.name);
            let group = nix::unistd::Group::from_gid(getgid())
                .ok()
                .flatten()
                .map_or_else(|| getgid().to_string(), |group| group.name);
            text = format!(
                "{text}default_internal_user = {name}\ndefault_internal_group = {group}\n\
                 default_login_user = {name}\n"
            );
        }
        fs::write(self.folder.path().join("dovecot.conf"), text).expect("it is written");
    }

    fn run(&mut self) {
        let child = Command::new("dovecot")
            .arg("-F")
            .arg("-c")
            .arg(self.folder.path().join("dovecot.conf"))
            .env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("Dovecot is installed (package dovecot-imapd); tests/run installs it");
        self.running = Some(child);
        let deadline = Instant::now() + Duration::from_secs(20);
        while TcpStream::connect(("127.0.0.1", self.port)).is_err() {
            let log = fs::read_to_string(self.folder.path().join("log")).unwrap_or_default();
            assert!(Instant::now() < deadline, "Dovecot did not start: {log}");
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// Stops it; connections end.
    pub fn stop(&mut self) {
        let Some(mut child) = self.running.take() else {
            return;
        };
        let id = i32::try_from(child.id()).expect("process ids are small");
        let _ = kill(Pid::from_raw(id), Signal::SIGTERM);
        let _ = child.wait();
    }

    /// Starts it again on the same ports.
    pub fn start_again(&mut self) {
        self.run();
    }

    /// Forgets how its mails were numbered, as after a restore: stops, and starts again.
    pub fn renumber(&mut self) {
        self.stop();
        for file in ["dovecot-uidlist", "dovecot-uidvalidity"] {
            let _ = fs::remove_file(self.maildir().join(file));
        }
        for entry in fs::read_dir(self.maildir()).expect("it is there") {
            let path = entry.expect("it can be read").path();
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            if name.starts_with("dovecot.index") || name.starts_with("dovecot-uidvalidity") {
                let _ = fs::remove_file(&path);
            }
        }
        // The new numbering is named by the second in which it began.
        std::thread::sleep(Duration::from_millis(1_100));
        self.run();
    }

    /// Where it speaks without TLS, on an address of this machine.
    pub fn url(&self) -> String {
        format!("imap://127.0.0.1:{}", self.port)
    }

    /// The same by a name, which wants STARTTLS.
    pub fn starttls_url(&self) -> String {
        format!("imap://localhost:{}", self.port)
    }

    /// Where it speaks TLS from the first byte.
    pub fn tls_url(&self) -> String {
        format!("imaps://localhost:{}", self.tls_port)
    }

    /// Puts a mail into the mailbox. Returns the name of its file.
    pub fn deliver(&mut self, raw: &[u8]) -> String {
        self.delivered += 1;
        let name = format!("17954{:05}.M1P1.test", self.delivered);
        self.put(&self.maildir().join("new").join(&name), raw);
        name
    }

    /// Puts a mail into the mailbox that somebody has opened already.
    pub fn deliver_seen(&mut self, raw: &[u8]) -> String {
        self.delivered += 1;
        let name = format!("17954{:05}.M1P1.test:2,S", self.delivered);
        self.put(&self.maildir().join("cur").join(&name), raw);
        name
    }

    fn put(&self, target: &Path, raw: &[u8]) {
        let name = target.file_name().expect("it has a name");
        let draft = self.maildir().join("tmp").join(name);
        fs::write(&draft, raw).expect("it is written");
        self.own(&draft);
        fs::rename(draft, target).expect("it is moved");
    }

    /// Removes a mail behind everybody's back.
    pub fn remove(&self, name: &str) {
        let gone = self.files().into_iter().find(|path| {
            let found = path.file_name().unwrap_or_default().to_string_lossy();
            found.starts_with(name.split(':').next().unwrap_or(name))
        });
        fs::remove_file(gone.expect("it is there")).expect("it can be removed");
    }

    /// The mails in the mailbox.
    pub fn files(&self) -> Vec<PathBuf> {
        self.files_in("")
    }

    /// The mails in a folder below it.
    pub fn files_in(&self, folder: &str) -> Vec<PathBuf> {
        let base = if folder.is_empty() {
            self.maildir()
        } else {
            self.maildir().join(format!(".{folder}"))
        };
        let mut files = Vec::new();
        for part in ["new", "cur"] {
            let Ok(entries) = fs::read_dir(base.join(part)) else {
                continue;
            };
            files.extend(entries.flatten().map(|entry| entry.path()));
        }
        files.sort();
        files
    }
}

impl Drop for Dovecot {
    fn drop(&mut self) {
        self.stop();
    }
}

fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port is free");
    listener.local_addr().expect("it has an address").port()
}
