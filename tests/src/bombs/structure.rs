use super::{Bomb, WHOLE, filled, mail, numbered};

const MIXED: &str = "Content-Type: multipart/mixed; boundary=b\r\n\r\n";

pub(super) const BOMBS: &[Bomb] = &[
    ("100,000 multiparts in one another", || {
        numbered("", 100_000, |level| {
            format!("Content-Type: multipart/mixed; boundary=b{level}\r\n\r\n--b{level}\r\n")
        })
    }),
    ("500,000 mails in one another", || {
        numbered("", 500_000, |_| {
            "Content-Type: message/rfc822\r\n\r\n".to_owned()
        })
    }),
    ("mails and multiparts in one another", || {
        numbered("", 100_000, |level| match level % 3 {
            0 => "Content-Type: message/rfc822\r\n\r\n".to_owned(),
            1 => format!(
                "Content-Type: multipart/digest; boundary=d{level}\r\n\r\n--d{level}\r\n\r\n"
            ),
            _ => format!(
                "Content-Type: multipart/alternative; boundary=a{level}\r\n\r\n--a{level}\r\n"
            ),
        })
    }),
    ("100,000 parts", || {
        numbered(MIXED, 100_000, |part| {
            format!("--b\r\nContent-Type: text/plain; name=f{part}\r\n\r\nx\r\n")
        })
    }),
    ("5,000,000 empty parts", || filled(MIXED, "--b\n", WHOLE)),
    ("boundaries that begin alike", || {
        let nested = |level: usize| {
            let name = "b".repeat(level + 1);
            format!("--{name}\r\nContent-Type: multipart/mixed; boundary={name}b\r\n\r\n")
        };
        let mut raw = numbered(MIXED, 60, nested);
        (0..300_000).for_each(|n| raw.extend(format!("--{}\r\n", "b".repeat(1 + n % 62)).bytes()));
        raw
    }),
    ("a part that names its parent's boundary", || {
        filled(
            MIXED,
            "--b\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n",
            WHOLE,
        )
    }),
    ("two boundaries in a circle", || {
        filled(
            MIXED,
            "--b\r\nContent-Type: multipart/mixed; boundary=c\r\n\r\n\
             --c\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n",
            WHOLE,
        )
    }),
    ("nearly boundaries, 20 deep", || {
        let mut raw = numbered("", 19, |level| {
            format!("Content-Type: multipart/mixed; boundary=b{level}\r\n\r\n--b{level}\r\n")
        });
        raw.extend(b"\n--b0x".repeat((WHOLE - raw.len()) / 6));
        raw
    }),
    ("20,000 parts in 64 charsets", || {
        const CHARSETS: [&str; 8] = [
            "utf-8",
            "utf-7",
            "utf-16",
            "iso-2022-jp",
            "gb18030",
            "big5",
            "euc-kr",
            "koi8-r",
        ];
        numbered(MIXED, 20_000, |part| {
            let (charset, form) = (CHARSETS[part % 8], part / 8 % 8);
            format!(
                "--b\r\nContent-Type: text/plain; charset={charset}-{form}\r\n\r\n\u{fc}+AGE-\r\n"
            )
        })
    }),
    ("1,000 forms of the same text", || {
        let head = "Content-Type: multipart/alternative; boundary=b\r\n\r\n";
        numbered(head, 1_000, |form| {
            let words = format!("<p>form {form}</p>").repeat(1_000);
            format!("--b\r\nContent-Type: text/html\r\n\r\n{words}\r\n")
        })
    }),
    ("a zip that says it is 4 GB", || {
        attached("application/zip", "a.zip", &zip())
    }),
    ("a gzip that says it is 4 GB", || {
        let gzip = [
            &b"\x1f\x8b\x08\0\0\0\0\0\x02\x03"[..],
            &[0xed; 1 << 20],
            &[0xff; 8],
        ]
        .concat();
        attached("application/gzip", "a.tar.gz", &gzip)
    }),
    ("a winmail.dat whose lengths lie", || {
        let signature = b"\x78\x9f\x3e\x22\x01\x00";
        let attribute = b"\x02\x05\x90\x06\x00\xff\xff\xff\x7f";
        let many = attribute.repeat(100_000);
        attached(
            "application/ms-tnef",
            "winmail.dat",
            &[&signature[..], &many].concat(),
        )
    }),
    ("a winmail.dat of 500,000 empty attachments", || {
        let signature = b"\x78\x9f\x3e\x22\x01\x00";
        let empty = b"\x02\x02\x90\x06\x00\0\0\0\0\0\0";
        let many = empty.repeat(500_000);
        attached(
            "application/ms-tnef",
            "winmail.dat",
            &[&signature[..], &many].concat(),
        )
    }),
    ("a bounce about 100,000 recipients", || {
        let head = "Return-Path: <>\r\nContent-Type: multipart/report; report-type=delivery-status; boundary=b\r\n\r\n\
                    --b\r\n\r\nIt failed.\r\n--b\r\nContent-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; x\r\n\r\n";
        numbered(head, 100_000, |number| {
            format!(
                "Final-Recipient: rfc822; a{number}@b.example\r\nAction: failed\r\nStatus: 5.1.1\r\n\r\n"
            )
        })
    }),
];

/// A text and a file beside it.
fn attached(kind: &str, name: &str, bytes: &[u8]) -> Vec<u8> {
    let encoded = data_encoding::BASE64.encode(bytes);
    let lines: Vec<&str> = encoded
        .as_bytes()
        .chunks(76)
        .map(|line| std::str::from_utf8(line).expect("base64 is ASCII"))
        .collect();
    mail(format!(
        "{MIXED}--b\r\n\r\nSee there.\r\n--b\r\nContent-Type: {kind}; name={name}\r\n\
         Content-Disposition: attachment; filename={name}\r\nContent-Transfer-Encoding: base64\r\n\r\n{}\r\n--b--\r\n",
        lines.join("\r\n")
    ))
}

/// 10,000 entries that all point to the same few bytes and claim 4 GB each.
fn zip() -> Vec<u8> {
    let local = b"PK\x03\x04\x14\0\0\0\x08\0\0\0\0\0\0\0\0\0\x04\0\0\0\xff\xff\xff\xff\x01\0\0\0a\x4b\x04\0\0";
    let central = b"PK\x01\x02\x14\0\x14\0\0\0\x08\0\0\0\0\0\0\0\0\0\x04\0\0\0\xff\xff\xff\xff\x01\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0a";
    let end = b"PK\x05\x06\0\0\0\0\x10\x27\x10\x27\0\0\0\0\0\0\0\0\0\0";
    [&local[..], &central.repeat(10_000), end].concat()
}
