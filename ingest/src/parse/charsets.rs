//! Charsets, encoded words and names as they come, broken ones among them. The bytes are what the
//! senders' programs write.

use tierdesk_core::mail::{Envelope, Mail};

use super::parse;

/// Charset, bytes, what a reader sees, and whether an unknown charset is told.
#[rustfmt::skip]
const BODIES: &[(&str, &str, &[u8], &str, bool)] = &[
    ("gb18030", "gb18030", b"\xb7\xfe\xce\xf1\xc6\xf7\xb3\xf6\xcf\xd6\xb9\xca\xd5\xcf", "服务器出现故障", false),
    ("gb18030, four bytes", "GB18030", b"x\xa2\xe3\xa8\xb9\xb7\xfe\xce\xf1\xc6\xf7\xb3\xf6\xcf\xd6\xb9\xca\xd5\xcf", "x€ü服务器出现故障", false),
    ("gb2312", "gb2312", b"\xb7\xfe\xce\xf1\xc6\xf7\xb3\xf6\xcf\xd6\xb9\xca\xd5\xcf", "服务器出现故障", false),
    ("gbk", "GBK", b"\xb7\xfe\xce\xf1\xc6\xf7\xb3\xf6\xcf\xd6\xb9\xca\xd5\xcf", "服务器出现故障", false),
    ("big5", "big5", b"\xa6\xf8\xaaA\xbe\xb9\xb5o\xa5\xcd\xacG\xbb\xd9", "伺服器發生故障", false),
    ("iso-2022-jp", "ISO-2022-JP", b"\x1b$B>c32$,H/@8$7$^$7$?\x1b(B", "障害が発生しました", false),
    ("shift_jis", "Shift_JIS", b"\x8f\xe1\x8aQ\x82\xaa\x94\xad\x90\xb6\x82\xb5\x82\xdc\x82\xb5\x82\xbd", "障害が発生しました", false),
    ("cp932, with a sign of its own", "cp932", b"\x87@\x8f\xe1\x8aQ\x82\xaa\x94\xad\x90\xb6\x82\xb5\x82\xdc\x82\xb5\x82\xbd", "①障害が発生しました", false),
    ("iso-2022-jp, with a sign of Windows", "iso-2022-jp", b"\x1b$B-!\x1b(B x", "① x", false),
    ("euc-jp", "EUC-JP", b"\xbe\xe3\xb3\xb2\xa4\xac\xc8\xaf\xc0\xb8\xa4\xb7\xa4\xde\xa4\xb7\xa4\xbf", "障害が発生しました", false),
    ("euc-kr", "euc-kr", b"\xbc\xad\xb9\xf6\xbf\xa1 \xc0\xe5\xbe\xd6\xb0\xa1 \xb9\xdf\xbb\xfd", "서버에 장애가 발생", false),
    ("ks_c_5601-1987", "ks_c_5601-1987", b"\xbc\xad\xb9\xf6\xbf\xa1 \xc0\xe5\xbe\xd6\xb0\xa1 \xb9\xdf\xbb\xfd", "서버에 장애가 발생", false),
    ("cp949", "cp949", b"\xbc\xad\xb9\xf6\xbf\xa1 \xc0\xe5\xbe\xd6\xb0\xa1 \xb9\xdf\xbb\xfd", "서버에 장애가 발생", false),
    ("koi8-r", "koi8-r", b"\xee\xc5 \xd2\xc1\xc2\xcf\xd4\xc1\xc5\xd4 \xc4\xc9\xd3\xcb", "Не работает диск", false),
    ("windows-1251", "windows-1251", b"\xcd\xe5 \xf0\xe0\xe1\xee\xf2\xe0\xe5\xf2 \xe4\xe8\xf1\xea", "Не работает диск", false),
    ("cp1251 with a hyphen", "cp-1251", b"\xcd\xe5 \xf0\xe0\xe1\xee\xf2\xe0\xe5\xf2 \xe4\xe8\xf1\xea", "Не работает диск", false),
    ("iso-8859-5", "iso-8859-5", b"\xbd\xd5 \xe0\xd0\xd1\xde\xe2\xd0\xd5\xe2 \xd4\xd8\xe1\xda", "Не работает диск", false),
    ("iso-8859-2", "iso-8859-2", b"Za\xbf\xf3\xb3\xe6 g\xea\xb6l\xb1", "Zażółć gęślą", false),
    ("windows-1250", "windows-1250", b"Za\xbf\xf3\xb3\xe6 g\xea\x9cl\xb9", "Zażółć gęślą", false),
    ("iso-8859-15", "iso-8859-15", b"Co\xfbt 5 \xa4 \xbduvre", "Coût 5 € œuvre", false),
    ("latin1", "latin1", b"St\xf6rung im B\xfcro", "Störung im Büro", false),
    ("Windows called Latin-1", "iso-8859-1", b"Co\xfbt 5 \x80 \x97 \x9cuvre", "Coût 5 € — œuvre", false),
    ("Windows called ASCII", "us-ascii", b"Co\xfbt 5 \x80 \x97 \x9cuvre", "Coût 5 € — œuvre", false),
    ("UTF-16 with a mark, little", "utf-16", b"\xff\xfe\x1d\x045\x04 \x00@\x040\x041\x04>\x04B\x040\x045\x04B\x04 \x004\x048\x04A\x04:\x04", "Не работает диск", false),
    ("UTF-16 with a mark, big", "utf-16", b"\xfe\xff\x04\x1d\x045\x00 \x04@\x040\x041\x04>\x04B\x040\x045\x04B\x00 \x044\x048\x04A\x04:", "Не работает диск", false),
    ("UTF-16 without a mark, big", "utf-16", b"\x00H\x00e\x00l\x00l\x00o\x00 \x00t\x00h\x00e\x00r\x00e\x00,\x00 \x00d\x00i\x00s\x00k\x00 \x00f\x00u\x00l\x00l", "Hello there, disk full", false),
    ("UTF-16 without a mark, little", "utf-16", b"H\x00e\x00l\x00l\x00o\x00 \x00t\x00h\x00e\x00r\x00e\x00,\x00 \x00d\x00i\x00s\x00k\x00 \x00f\x00u\x00l\x00l\x00", "Hello there, disk full", false),
    ("UTF-16BE", "utf-16be", b"\x04\x1d\x045\x00 \x04@\x040\x041\x04>\x04B\x040\x045\x04B\x00 \x044\x048\x04A\x04:", "Не работает диск", false),
    ("UTF-16LE with a mark", "utf-16le", b"\xff\xfe\x1d\x045\x04 \x00@\x040\x041\x04>\x04B\x040\x045\x04B\x04 \x004\x048\x04A\x04:\x04", "Не работает диск", false),
    ("UTF-16 that is UTF-8", "utf-16", b"St\xc3\xb6rung im B\xc3\xbcro", "Störung im Büro", false),
    ("UTF-16 by its mark alone", "", b"\xff\xfe\x1d\x045\x04 \x00@\x040\x041\x04>\x04B\x040\x045\x04B\x04 \x004\x048\x04A\x04:\x04", "Не работает диск", false),
    ("UTF-7", "utf-7", b"St+APY-rung, 1 +- 1 +2D3eAA", "Störung, 1 + 1 😀", false),
    ("UTF-7 that ends in a base64 piece", "unicode-1-1-utf-7", b"Gr+APwA3w-e +AOQ", "Grüße ä", false),
    ("UTF-7 where no hyphen ends a piece", "UTF-7", b"+APY!+APY x", "ö!ö x", false),
    ("UTF-8 called Latin-1", "iso-8859-1", b"St\xc3\xb6rung im B\xc3\xbcro \xe2\x80\x93 ok", "Störung im Büro – ok", false),
    ("UTF-8 called Windows-1252", "windows-1252", b"St\xc3\xb6rung im B\xc3\xbcro", "Störung im Büro", false),
    ("UTF-8 called Windows-1251", "windows-1251", b"\xd0\x9d\xd0\xb5 \xd1\x80\xd0\xb0\xd0\xb1\xd0\xbe\xd1\x82\xd0\xb0\xd0\xb5\xd1\x82 \xd0\xb4\xd0\xb8\xd1\x81\xd0\xba", "Не работает диск", false),
    ("Latin-1 called UTF-8", "utf-8", b"St\xf6rung im B\xfcro", "Störung im Büro", false),
    ("UTF-8 with one broken byte", "utf-8", b"St\xc3\xb6rung im B\xc3\xbcro \xff St\xc3\xb6rung im B\xc3\xbcro", "Störung im Büro � Störung im Büro", false),
    ("UTF-8 with a mark", "utf-8", b"\xef\xbb\xbfSt\xc3\xb6rung im B\xc3\xbcro", "Störung im Büro", false),
    ("utf8mb4", "utf8mb4", b"St\xc3\xb6rung im B\xc3\xbcro", "Störung im Büro", false),
    ("cp65001", "cp65001", b"St\xc3\xb6rung im B\xc3\xbcro", "Störung im Büro", false),
    ("none, UTF-8", "", b"\xd0\x9d\xd0\xb5 \xd1\x80\xd0\xb0\xd0\xb1\xd0\xbe\xd1\x82\xd0\xb0\xd0\xb5\xd1\x82 \xd0\xb4\xd0\xb8\xd1\x81\xd0\xba", "Не работает диск", false),
    ("none, Latin-1", "", b"St\xf6rung im B\xfcro", "Störung im Büro", false),
    ("unknown, UTF-8", "x-unknown", b"\xd0\x9d\xd0\xb5 \xd1\x80\xd0\xb0\xd0\xb1\xd0\xbe\xd1\x82\xd0\xb0\xd0\xb5\xd1\x82 \xd0\xb4\xd0\xb8\xd1\x81\xd0\xba", "Не работает диск", true),
    ("unknown, Latin-1", "klingon", b"St\xf6rung im B\xfcro", "Störung im Büro", true),
    ("known and not readable", "iso-2022-kr", b"words", "words", true),
    ("a quoted label with a blank", "\"utf-8 \"", b"St\xc3\xb6rung im B\xc3\xbcro", "Störung im Büro", false),
    ("a label in single quotes", "'utf-8'", b"St\xc3\xb6rung im B\xc3\xbcro", "Störung im Büro", false),
];

/// Charset of the body, subject, what a reader sees.
#[rustfmt::skip]
const SUBJECTS: &[(&str, &str, &[u8], &str)] = &[
    ("raw UTF-8", "", b"\xd0\x9d\xd0\xb5 \xd1\x80\xd0\xb0\xd0\xb1\xd0\xbe\xd1\x82\xd0\xb0\xd0\xb5\xd1\x82 \xd0\xb4\xd0\xb8\xd1\x81\xd0\xba", "Не работает диск"),
    ("raw Latin-1", "", b"St\xf6rung im B\xfcro", "Störung im Büro"),
    ("raw Windows-1251, body says so", "windows-1251", b"\xcd\xe5 \xf0\xe0\xe1\xee\xf2\xe0\xe5\xf2 \xe4\xe8\xf1\xea", "Не работает диск"),
    ("raw KOI8-R, body says so", "koi8-r", b"\xee\xc5 \xd2\xc1\xc2\xcf\xd4\xc1\xc5\xd4 \xc4\xc9\xd3\xcb", "Не работает диск"),
    ("raw Shift_JIS, body says so", "shift_jis", b"\x8f\xe1\x8aQ\x82\xaa\x94\xad\x90\xb6\x82\xb5\x82\xdc\x82\xb5\x82\xbd", "障害が発生しました"),
    ("raw UTF-8, body says Windows-1251", "windows-1251", b"\xd0\x9d\xd0\xb5 \xd1\x80\xd0\xb0\xd0\xb1\xd0\xbe\xd1\x82\xd0\xb0\xd0\xb5\xd1\x82 \xd0\xb4\xd0\xb8\xd1\x81\xd0\xba", "Не работает диск"),
    ("raw Latin-1, body says UTF-8", "utf-8", b"St\xf6rung im B\xfcro", "Störung im Büro"),
    ("raw Latin-1, body says nonsense", "klingon", b"St\xf6rung im B\xfcro", "Störung im Büro"),
    ("Q", "", b"=?utf-8?Q?St=C3=B6rung_im_B=C3=BCro?=", "Störung im Büro"),
    ("q", "", b"=?UTF-8?q?St=C3=B6rung_im_B=C3=BCro?=", "Störung im Büro"),
    ("b", "", b"=?utf-8?b?0J3QtSDRgNCw0LHQvtGC0LDQtdGCINC00LjRgdC6?=", "Не работает диск"),
    ("with a language", "", b"=?UTF-8*en?Q?St=C3=B6rung_im_B=C3=BCro?=", "Störung im Büro"),
    ("base64 without padding", "", b"=?utf-8?B?U3TDtnJ1bmcgaW0gQsO8cm8h?=", "Störung im Büro!"),
    ("base64 without two of them", "", b"=?utf-8?B?w7w?=", "ü"),
    ("base64 with too many", "", b"=?utf-8?B?w7w====?=", "ü"),
    ("blanks inside Q", "", b"=?utf-8?Q?St=C3=B6rung im B=C3=BCro?=", "Störung im Büro"),
    ("blanks inside base64", "", b"=?utf-8?B?U3TDtnJ1 bmc=?=", "Störung"),
    ("a character in two base64 words", "", b"=?utf-8?B?0J3QtSA=?= =?utf-8?B?0YDQsNCx0L7RgtCw0LXRgiDQtNC40YHQug==?=", "Не работает диск"),
    ("a character in two Q words, folded", "", b"=?utf-8?Q?=D0=9D=D0=B5_?=\r\n =?utf-8?Q?=D1=80=D0=B0=D0=B1=D0=BE=D1=82=D0=B0=D0=B5=D1=82_=D0=B4=D0=B8=D1=81=D0=BA?=", "Не работает диск"),
    ("a character in a Q and a base64 word", "", b"=?utf-8?Q?=D0=9D=D0=B5_?= =?utf-8?B?0YDQsNCx0L7RgtCw0LXRgiDQtNC40YHQug==?=", "Не работает диск"),
    ("a Shift_JIS character in two words", "", b"=?shift_jis?B?j+GK?= =?shift_jis?B?UYKqlK2QtoK1gtyCtYK9?=", "障害が発生しました"),
    ("ISO-2022-JP", "", b"=?iso-2022-jp?B?GyRCPmMzMiQsSC9AOCQ3JF4kNyQ/GyhC?=", "障害が発生しました"),
    ("two ISO-2022-JP words", "", b"=?iso-2022-jp?B?GyRCPmMzMiQsSC8bKEI=?=\r\n =?iso-2022-jp?B?GyRCQDgkNyReJDckPxsoQg==?=", "障害が発生しました"),
    ("gb2312", "", b"=?gb2312?B?t/7O8cb3s/bP1rnK1c8=?=", "服务器出现故障"),
    ("euc-kr", "", b"=?euc-kr?B?vK259r+hIMDlvtawoSC537v9?=", "서버에 장애가 발생"),
    ("koi8-r", "", b"=?koi8-r?Q?=EE=C5_=D2=C1=C2=CF=D4=C1=C5=D4_=C4=C9=D3=CB?=", "Не работает диск"),
    ("Windows called Latin-1", "", b"=?iso-8859-1?Q?Co=FBt_5_=80_=97_=9Cuvre?=", "Coût 5 € — œuvre"),
    ("UTF-8 called Latin-1", "", b"=?iso-8859-1?Q?St=C3=B6rung_im_B=C3=BCro?=", "Störung im Büro"),
    ("unknown charset", "", b"=?klingon?Q?St=C3=B6rung_im_B=C3=BCro?=", "Störung im Büro"),
    ("no charset", "", b"=?unknown-8bit?Q?St=F6rung?=", "Störung"),
    ("no end, base64", "", b"=?utf-8?B?U3TDtnJ1bmc=", "Störung"),
    ("no end, Q", "", b"=?utf-8?Q?St=C3=B6rung_im_B=C3=BCro", "Störung im Büro"),
    ("no end, then words", "", b"=?utf-8?Q?St=C3=B6rung im Netz", "=?utf-8?Q?St=C3=B6rung im Netz"),
    ("half an end", "", b"=?utf-8?Q?St=C3=B6rung?", "Störung"),
    ("glued to text", "", b"Re:=?utf-8?Q?St=C3=B6rung?=now", "Re:Störungnow"),
    ("glued to each other", "", b"=?utf-8?Q?St=C3=B6?==?utf-8?Q?rung?=", "Störung"),
    ("in quotes", "", b"\"=?utf-8?Q?St=C3=B6rung?=\"", "\"Störung\""),
    ("twice encoded by a gateway", "", b"=?utf-8?Q?=3D=3Futf-8=3FQ=3FSt=3DC3=3DB6rung=3F=3D?=", "=?utf-8?Q?St=C3=B6rung?="),
    ("a question mark inside Q", "", b"=?utf-8?Q?Wo=3F St=C3=B6rung??=", "Wo? Störung?"),
    ("folded inside a word", "", b"=?utf-8?Q?St=C3=B6rung_im_\r\n B=C3=BCro?=", "Störung im  Büro"),
    ("tabs and many blanks between", "", b"=?utf-8?Q?a?= \x09  =?utf-8?Q?b?=", "ab"),
    ("different charsets side by side", "", b"=?utf-8?Q?=C3=A4?= =?iso-8859-1?Q?=FC?=", "äü"),
    ("text between", "", b"=?utf-8?Q?a?= x =?utf-8?Q?b?=", "a x b"),
];

/// What stands in Content-Disposition, and the name.
#[rustfmt::skip]
const NAMES: &[(&str, &[u8], &str)] = &[
    ("RFC 2231", b"filename*=utf-8''St%C3%B6rung.txt", "Störung.txt"),
    ("with a language", b"filename*=utf-8'de'St%C3%B6rung.txt", "Störung.txt"),
    ("Latin-1", b"filename*=iso-8859-1''St%F6rung.txt", "Störung.txt"),
    ("the wrong charset", b"filename*=us-ascii''St%C3%B6rung.txt", "Störung.txt"),
    ("Latin-1 called UTF-8", b"filename*=utf-8''St%F6rung.txt", "Störung.txt"),
    ("unknown charset", b"filename*=klingon''St%C3%B6rung.txt", "Störung.txt"),
    ("no charset", b"filename*=''St%C3%B6rung.txt", "Störung.txt"),
    ("no quotes", b"filename*=St%C3%B6rung.txt", "Störung.txt"),
    ("in double quotes", b"filename*=\"utf-8''St%C3%B6rung.txt\"", "Störung.txt"),
    ("continued", b"filename*0=\"lo\"; filename*1=\"ng.txt\"", "long.txt"),
    ("continued and encoded", b"filename*0*=utf-8''St%C3%B6; filename*1*=rung.txt", "Störung.txt"),
    ("a character in two pieces", b"filename*0*=utf-8''St%C3; filename*1*=%B6rung.txt", "Störung.txt"),
    ("encoded and plain", b"filename*0*=utf-8''St%C3%B6; filename*1=\"rung%41.txt\"", "Störung%41.txt"),
    ("out of order", b"filename*1*=rung.txt; filename*0*=utf-8''St%C3%B6", "Störung.txt"),
    ("more than ten", b"filename*0=a; filename*1=b; filename*2=c; filename*3=d; filename*4=e; filename*5=f; filename*6=g; filename*7=h; filename*8=i; filename*9=j; filename*10=k; filename*11=l; filename*12=.txt", "abcdefghijkl.txt"),
    ("a missing piece", b"filename*0*=utf-8''St%C3%B6; filename*2*=.txt", "Stö.txt"),
    ("no first piece", b"filename*1=rung; filename*2=.txt", "rung.txt"),
    ("both ways", b"filename=\"St?rung.txt\"; filename*=utf-8''St%C3%B6rung.txt", "Störung.txt"),
    ("both ways, the other first", b"filename*=utf-8''St%C3%B6rung.txt; filename=\"St?rung.txt\"", "Störung.txt"),
    ("RFC 2047 in quotes", b"filename=\"=?utf-8?Q?St=C3=B6rung.txt?=\"", "Störung.txt"),
    ("RFC 2047 without quotes", b"filename==?utf-8?B?U3TDtnJ1bmcudHh0?=", "Störung.txt"),
    ("two words in quotes, folded", b"filename=\"=?utf-8?Q?St=C3=B6?=\r\n =?utf-8?Q?rung.txt?=\"", "Störung.txt"),
    ("RFC 2047 in pieces", b"filename*0=\"=?utf-8?Q?St=C3=B6\"; filename*1=\"rung.txt?=\"", "Störung.txt"),
    ("raw UTF-8", b"filename=\"St\xc3\xb6rung.txt\"", "Störung.txt"),
    ("raw Latin-1", b"filename=\"St\xf6rung.txt\"", "Störung.txt"),
    ("percent signs and nothing else", b"filename=\"St%C3%B6rung.txt\"", "St%C3%B6rung.txt"),
    ("bad percent signs", b"filename*=utf-8''100%25%zz.txt", "100%%zz.txt"),
    ("escaped quotes", b"filename=\"a \\\"b\\\".txt\"", "a \"b\".txt"),
    ("no closing quote", b"filename=\"a b.txt", "a b.txt"),
    ("blanks without quotes", b"filename=a b.txt", "a b.txt"),
    ("Shift_JIS", b"filename*=shift_jis''%8F%E1%8A%51%2E%74%78%74", "障害.txt"),
];

fn read(pieces: &[&[u8]]) -> Mail {
    parse(&pieces.concat(), &Envelope::default())
}

/// Prints how many are right; what is wrong fails the test, all of it at once.
#[expect(
    clippy::print_stderr,
    reason = "the figures are what these tests are for"
)]
fn judge<'a>(what: &str, all: impl Iterator<Item = (&'a str, String, &'a str)>) {
    let (mut right, mut wrong) = (0, Vec::new());
    for (name, found, expected) in all {
        if found == expected {
            right += 1;
        } else {
            wrong.push(format!("{name}: {found:?} in place of {expected:?}"));
        }
    }
    eprintln!("{right} of {} {what} right", right + wrong.len());
    assert!(wrong.is_empty() && right > 0, "{wrong:#?}");
}

#[test]
fn bodies() {
    let told = |mail: &Mail| {
        mail.findings
            .iter()
            .any(|it| it.contains("unknown charset"))
    };
    judge(
        "bodies",
        BODIES
            .iter()
            .map(|(name, charset, bytes, expected, is_told)| {
                let label = match *charset {
                    "" => String::new(),
                    charset => format!("; charset={charset}"),
                };
                let head = format!("From: a@x.example\nContent-Type: text/plain{label}\n\n");
                let mail = read(&[head.as_bytes(), bytes]);
                let wrong = if told(&mail) == *is_told {
                    ""
                } else {
                    " (told wrongly)"
                };
                (*name, mail.text + wrong, *expected)
            }),
    );
}

#[test]
fn subjects() {
    judge(
        "subjects",
        SUBJECTS.iter().map(|(name, charset, bytes, expected)| {
            let label = match *charset {
                "" => String::new(),
                charset => format!("Content-Type: text/plain; charset={charset}\n"),
            };
            let head = format!("From: a@x.example\n{label}Subject: ");
            let mail = read(&[head.as_bytes(), bytes, b"\n\nx"]);
            (*name, mail.subject, *expected)
        }),
    );
}

#[test]
fn display_names() {
    // Left out is what the library decodes twice, and white space that it joins.
    let plain = SUBJECTS.iter().filter(|(_, _, bytes, _)| {
        let is_word = bytes.starts_with(b"=?") && bytes.ends_with(b"?=");
        is_word
            && !bytes
                .windows(3)
                .any(|three| three == b"=3D" || three == b"_\r\n")
    });
    judge(
        "display names",
        plain.map(|(name, _, bytes, expected)| {
            let mail = read(&[b"From: ", bytes, b" <a@x.example>\n\nx"]);
            let from = &mail.from[0];
            let found = from.name.clone().unwrap_or_default();
            let wrong = if from.address == "a@x.example" {
                ""
            } else {
                " (another address)"
            };
            (*name, found + wrong, *expected)
        }),
    );
}

#[test]
fn names_of_files() {
    judge(
        "names of files",
        NAMES.iter().map(|(name, bytes, expected)| {
            let head = b"From: a@x.example\nContent-Type: application/pdf\nContent-Disposition: attachment; ";
            let mail = read(&[head, bytes, b"\n\nx"]);
            (*name, mail.attachments[0].info.name.clone(), *expected)
        }),
    );
}
