use super::{Bomb, WHOLE, filled, mail};

fn encoded(encoding: &str, piece: &str) -> Vec<u8> {
    filled(
        format!("Content-Transfer-Encoding: {encoding}\r\n\r\n"),
        piece,
        WHOLE,
    )
}

fn in_charset(charset: &str, piece: impl AsRef<[u8]>) -> Vec<u8> {
    filled(
        format!("Content-Type: text/plain; charset={charset}\r\n\r\n"),
        piece,
        WHOLE,
    )
}

fn text(piece: &str) -> Vec<u8> {
    in_charset("utf-8", piece)
}

/// Of text, 10 MB are read: half of them is nothing, half is what is taken away line by line.
fn nothing_then_signatures(nothing: &str) -> Vec<u8> {
    let nothing = nothing.repeat(5 << 20);
    filled(
        format!("Content-Type: text/plain; charset=utf-8\r\n\r\n{nothing}x\n"),
        "--\n",
        WHOLE,
    )
}

pub(super) const BOMBS: &[Bomb] = &[
    ("quoted-printable of only =", || {
        encoded("quoted-printable", "=")
    }),
    ("quoted-printable of blanks", || {
        encoded("quoted-printable", "=\t ")
    }),
    ("base64 in one line of 25 MB", || encoded("base64", "QUFB")),
    ("base64 that breaks off everywhere", || {
        encoded("base64", "Q=U-\n")
    }),
    ("one line of 25 MB", || text("x")),
    ("only line ends", || text("\r\n")),
    ("only NUL", || text("\0")),
    ("only On ... wrote:", || {
        text("On 23 Nov 2026 at 10:20, A wrote:\n")
    }),
    ("On ... that never wrote", || text("On 2026 ")),
    ("quotes after On ... wrote:", || {
        text("> On 2026 A wrote:\n")
    }),
    ("1 MB of > in each line", || {
        text(&format!("{}\n", ">".repeat(1 << 20)))
    }),
    ("one > more in each line", || {
        let mut raw = mail("\r\n");
        let mut level = 1;
        while raw.len() < WHOLE {
            raw.extend(std::iter::repeat_n(b'>', level));
            raw.extend(b" x\n");
            level += 1;
        }
        raw
    }),
    ("signatures over and over", || text("--\n> x\n-- \ny\n")),
    ("nothing, then signatures over and over", || {
        nothing_then_signatures("\n")
    }),
    ("blanks, then signatures over and over", || {
        nothing_then_signatures(" ")
    }),
    ("device lines", || text("Sent from my x\n")),
    ("heads of quoted mails", || {
        text("From: a\nSent: b\n\nTo: c\n")
    }),
    ("forwarded over and over", || {
        let head = "Subject: Fwd: x\r\n\r\n";
        filled(
            head,
            "---------- Forwarded message ---------\nFrom: A <a@b.example>\n",
            WHOLE,
        )
    }),
    ("markers over and over", || {
        text("## reply above this line ##\n")
    }),
    ("iso-2022-jp of only escapes", || {
        in_charset("iso-2022-jp", b"\x1b$B\x1b(B")
    }),
    ("utf-7 in and out", || in_charset("utf-7", "+AGE-")),
    ("utf-16 of halves", || in_charset("utf-16", b"\xd8\x00")),
    ("gb18030 of four bytes", || {
        in_charset("gb18030", b"\x81\x30\x81\x30")
    }),
    ("windows-1252 that becomes three bytes each", || {
        in_charset("windows-1252", b"\x80")
    }),
    ("secrets without end", || {
        text("password=hunter2! token: abc ")
    }),
    ("keys that begin and do not end", || {
        text("-----BEGIN PRIVATE KEY-----\nAAAA\n")
    }),
    ("letters that could be a key", || {
        text("QUtJQTEyMzQ1Njc4OTAx")
    }),
    ("addresses and colons", || {
        text("https://u:p@h.example/?key=")
    }),
    ("addresses that name half a person", || {
        text(&("://a:x/b".repeat(60) + " @"))
    }),
    ("no header at all", || vec![b'x'; WHOLE]),
    ("mails of mbox in a mail", || {
        text("From a@b Mon Nov 23 09:00:00 2026\nFrom: a@b\n\n")
    }),
];
