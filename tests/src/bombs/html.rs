use super::{Bomb, WHOLE, filled, mail};

fn page(start: &str, piece: &str, size: usize) -> Vec<u8> {
    filled(
        format!("Content-Type: text/html; charset=utf-8\r\n\r\n{start}"),
        piece,
        size,
    )
}

/// `<p a0=1 a1=1 …>`, each attribute compared with those before it by whoever keeps them apart.
fn attributes(size: usize) -> String {
    let mut tag = "<p".to_owned();
    let mut number = 0;
    while tag.len() < size {
        tag.extend([" a", &number.to_string(), "=1"]);
        number += 1;
    }
    tag + ">words"
}

/// Nearly as long as a page that is laid out.
const LAID_OUT: usize = 1_000_000;

pub(super) const BOMBS: &[Bomb] = &[
    ("1,000,000 divs in one another", || {
        let (open, close) = ("<div>".repeat(1_000_000), "</div>".repeat(1_000_000));
        mail(format!("Content-Type: text/html\r\n\r\n{open}x{close}"))
    }),
    ("divs in one another, short", || page("", "<div>", LAID_OUT)),
    ("blockquotes in one another, short", || {
        page("", "<blockquote>a", LAID_OUT)
    }),
    ("1,000,000 formats that never end", || {
        page("", "<b><i>x", 7_000_000)
    }),
    ("formats that are mended, short", || {
        page("", "<b><p>", LAID_OUT)
    }),
    ("one tag with 1,000,000 attributes", || {
        page("<p ", "a=b ", 4_000_000)
    }),
    ("attributes, short", || page("<p ", "a1='&amp;' ", LAID_OUT)),
    ("attributes of different names", || {
        mail(format!(
            "Content-Type: text/html\r\n\r\n{}",
            attributes(LAID_OUT)
        ))
    }),
    ("attributes of different names in nine parts", || {
        let part = format!(
            "--b\r\nContent-Type: text/html\r\n\r\n{}\r\n",
            attributes(LAID_OUT)
        );
        let head = "Content-Type: multipart/mixed; boundary=b\r\n\r\n";
        mail(format!("{head}{}--b--\r\n", part.repeat(9)))
    }),
    ("tables in nine parts", || {
        let part = format!(
            "--b\r\nContent-Type: text/html\r\n\r\n<table><tr>{}\r\n",
            "<td>x</td>".repeat(9_000)
        );
        let head = "Content-Type: multipart/mixed; boundary=b\r\n\r\n";
        mail(format!("{head}{}--b--\r\n", part.repeat(90)))
    }),
    ("attributes that never end", || page("", "<a \"", WHOLE)),
    ("5,000,000 entities", || page("", "&amp", WHOLE)),
    ("entities, short", || page("", "&#x41", LAID_OUT)),
    ("tables in one another", || {
        page("", "<table><tr><td>", WHOLE)
    }),
    ("tables in one another, short", || {
        page("", "<table><tr><td>", LAID_OUT)
    }),
    ("cells over 1,000,000 columns", || {
        page(
            "<table>",
            "<tr><td colspan=1000000 rowspan=1000000>x",
            LAID_OUT,
        )
    }),
    ("a table of 100,000 cells", || {
        page("<table><tr>", "<td>x", LAID_OUT)
    }),
    ("lists in one another, short", || {
        page("", "<ol start=999999999><li>", LAID_OUT)
    }),
    ("comments that never end", || page("", "<!--x", WHOLE)),
    ("styles that never end", || page("", "<style>", WHOLE)),
    ("svg, math and template", || {
        page("", "<svg><math><template>", LAID_OUT)
    }),
    ("lines in quotes", || page("", "<blockquote>a<br>", WHOLE)),
    ("latin letters as HTML", || {
        filled(
            "Content-Type: text/html; charset=latin1\r\n\r\n",
            b"\xfc ",
            WHOLE,
        )
    }),
];
