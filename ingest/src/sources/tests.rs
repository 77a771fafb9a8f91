use std::fs;

use tempfile::TempDir;

use super::*;

/// A folder with these files; a path that ends in `/` is a folder.
fn folder(files: &[(&str, &str)]) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (path, content) in files {
        let path = folder.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        if path.to_string_lossy().ends_with('/') {
            fs::create_dir_all(path).unwrap();
        } else {
            fs::write(path, content).unwrap();
        }
    }
    folder
}

fn bodies(source: &Source) -> Vec<String> {
    source
        .mails()
        .map(|mail| match mail {
            Ok(mail) => String::from_utf8(mail.bytes).unwrap(),
            Err(error) => format!("error: {error}"),
        })
        .collect()
}

#[test]
fn a_maildir_is_read_by_file_name_over_cur_and_new() {
    let at = folder(&[
        ("cur/1.a:2,S", "one"),
        ("new/2.b", "two"),
        ("cur/3.c:2,", "three"),
        ("tmp/0.x", "unfinished"),
        ("cur/.hidden", "no"),
        (".Sent/cur/9.s", "sent"),
        (".Sent/new/", ""),
        ("dovecot-uidlist", "3 V1"),
    ]);
    let source = Source::open(at.path()).unwrap();
    assert_eq!(bodies(&source), ["one", "two", "three", "sent"]);
    let mails: Vec<_> = source.mails().map(Result::unwrap).collect();
    assert!(mails.iter().all(|mail| mail.road == Road::Maildir));
    assert!(mails[0].origin.ends_with("cur/1.a:2,S"));
    assert_eq!(
        source.total_bytes(),
        mails.iter().map(|mail| mail.source_bytes).sum::<u64>()
    );
}

#[test]
fn a_folder_is_read_in_order_with_all_it_holds() {
    let line = "From a@b Mon Nov 23 10:20:00 2026\n";
    let at = folder(&[
        ("b/2.eml", "b2"),
        ("a.EML", "a"),
        ("c.mbox", &format!("{line}c1\n\n{line}c2\n")),
        ("d/Inbox", &format!("{line}d1\n")),
        ("e/cur/1", "e1"),
        ("e/new/", ""),
        ("notes.txt", "not a mail"),
        ("old.mbox.gz", "x"),
    ]);
    let found = bodies(&Source::open(at.path()).unwrap());
    assert_eq!(found[..6], ["a", "b2", "c1\n", "c2\n", "d1\n", "e1"]);
    assert!(
        found[6].contains("old.mbox.gz is compressed (gzip)"),
        "{}",
        found[6]
    );
    assert_eq!(found.len(), 7);
}

#[test]
fn single_files_are_known_by_name_or_content() {
    let at = folder(&[
        ("a.eml", "anything"),
        ("saved", "From: a@b\nSubject: x\n\nhello"),
        (
            "box",
            "From a@b Mon Nov 23 10:20:00 2026\nSubject: x\n\nhello\n",
        ),
    ]);
    for (name, road) in [
        ("a.eml", Road::Eml),
        ("saved", Road::Eml),
        ("box", Road::Mbox),
    ] {
        let mail = Source::open(at.path().join(name))
            .unwrap()
            .mails()
            .next()
            .unwrap()
            .unwrap();
        assert_eq!(mail.road, road, "{name}");
    }
}

#[test]
fn refusals_say_what_is_accepted() {
    let at = folder(&[
        ("notes.txt", "hello"),
        ("x.gz", "\u{1f}"),
        ("sub/y.txt", ""),
        ("e.eml", ""),
    ]);
    fs::write(at.path().join("x.gz"), b"\x1f\x8b\x08\0").unwrap();
    let refusal = |path: &str| Source::open(at.path().join(path)).unwrap_err().to_string();
    assert!(refusal("notes.txt").contains("an mbox file"));
    assert!(refusal("x.gz").contains("compressed (gzip)"));
    assert!(refusal("sub").contains("holds no mail"));
    assert!(refusal("missing").contains("could not be read"));
    assert!(refusal("e.eml").contains("is empty"));
    assert!(
        Source::open("")
            .unwrap_err()
            .to_string()
            .contains("a Maildir")
    );
}

#[test]
fn empty_mailboxes_are_mailboxes() {
    let at = folder(&[("m/cur/", ""), ("m/new/", ""), ("e.mbox", "")]);
    assert!(bodies(&Source::open(at.path().join("m")).unwrap()).is_empty());
    assert!(bodies(&Source::open(at.path().join("e.mbox")).unwrap()).is_empty());
    assert!(bodies(&Source::open(at.path()).unwrap()).is_empty());
}

#[test]
fn a_file_that_vanishes_is_one_error_and_the_next_follows() {
    let at = folder(&[
        ("cur/1", "one"),
        ("cur/2", "two"),
        ("cur/3", ""),
        ("new/4", "four"),
    ]);
    let mut mails = Source::open(at.path()).unwrap().mails();
    assert_eq!(mails.next().unwrap().unwrap().bytes, b"one");
    fs::remove_file(at.path().join("cur/2")).unwrap();
    assert!(matches!(mails.next(), Some(Err(SourceError::Read { .. }))));
    assert!(matches!(mails.next(), Some(Err(SourceError::Empty { .. }))));
    assert_eq!(mails.next().unwrap().unwrap().bytes, b"four");
    assert!(mails.next().is_none());
}

#[cfg(unix)]
#[test]
fn links_in_circles_come_to_an_end() {
    let at = folder(&[("a/1.eml", "one"), ("m/cur/1", "two"), ("m/new/", "")]);
    std::os::unix::fs::symlink(at.path(), at.path().join("a/up")).unwrap();
    std::os::unix::fs::symlink(at.path().join("m"), at.path().join("m/.Loop")).unwrap();
    std::os::unix::fs::symlink(at.path().join("m/cur/self"), at.path().join("m/cur/self")).unwrap();
    let found = bodies(&Source::open(at.path()).unwrap());
    assert_eq!(found[..2], ["one", "two"]);
    assert!(found[2].contains("could not be read"), "{}", found[2]);
    assert_eq!(found.len(), 3);
}
