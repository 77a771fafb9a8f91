use proptest::prelude::*;

use super::*;

/// Writes streams as the specification has them.
pub(crate) struct Stream(Vec<u8>);

impl Stream {
    pub(crate) fn new() -> Self {
        Self([&SIGNATURE[..], &[1, 0]].concat())
    }

    pub(crate) fn attribute(mut self, level: u8, number: u32, data: &[u8]) -> Self {
        self.0.push(level);
        self.0.extend(number.to_le_bytes());
        self.0
            .extend(u32::try_from(data.len()).unwrap().to_le_bytes());
        self.0.extend(data);
        let sum: u32 = data.iter().map(|&byte| u32::from(byte)).sum();
        self.0.extend(&sum.to_le_bytes()[..2]);
        self
    }

    fn code_page(self, code_page: u32) -> Self {
        let data = [code_page.to_le_bytes(), [0; 4]].concat();
        self.attribute(1, 0x0006_9007, &data)
    }

    pub(crate) fn message(self, properties: &[Vec<u8>]) -> Self {
        self.attribute(1, 0x0006_9003, &block(properties))
    }

    /// A file with the names and properties that are given.
    pub(crate) fn file(self, title: &str, data: Option<&[u8]>, properties: &[Vec<u8>]) -> Self {
        let mut stream = self.attribute(2, 0x0006_9002, &[0; 14]);
        stream = stream.attribute(2, 0x0001_8010, format!("{title}\0").as_bytes());
        if let Some(data) = data {
            stream = stream.attribute(2, 0x0006_800F, data);
        }
        if properties.is_empty() {
            return stream;
        }
        stream.attribute(2, 0x0006_9005, &block(properties))
    }

    pub(crate) fn finish(self) -> Vec<u8> {
        self.0
    }
}

fn block(properties: &[Vec<u8>]) -> Vec<u8> {
    let count = u32::try_from(properties.len()).unwrap();
    [&count.to_le_bytes()[..], &properties.concat()].concat()
}

pub(crate) fn property(id: u16, kind: u16, value: &[u8]) -> Vec<u8> {
    let mut bytes = [kind.to_le_bytes(), id.to_le_bytes(), [1, 0], [0, 0]].concat();
    bytes.extend(u32::try_from(value.len()).unwrap().to_le_bytes());
    bytes.extend(value);
    bytes.resize(bytes.len().next_multiple_of(4), 0);
    bytes
}

pub(crate) fn unicode(id: u16, value: &str) -> Vec<u8> {
    let units = value.encode_utf16().chain([0]);
    property(
        id,
        0x001F,
        &units.flat_map(u16::to_le_bytes).collect::<Vec<_>>(),
    )
}

/// Everything that has a size of its own, and names and several values besides.
fn others() -> Vec<Vec<u8>> {
    let fixed =
        |kind: u16, size: usize| [&kind.to_le_bytes()[..], &[0x17, 0x0E], &vec![7; size]].concat();
    let mut list = vec![
        fixed(0x0003, 4),
        fixed(0x000B, 4),
        fixed(0x0040, 8),
        fixed(0x0048, 16),
    ];
    let named = |name: &[u8]| [&[3, 0, 1, 0x80][..], &[9; 16], name, &[5; 4]].concat();
    list.push(named(&[0, 0, 0, 0, 1, 2, 3, 4]));
    list.push(named(&[
        1, 0, 0, 0, 6, 0, 0, 0, b'a', 0, b'b', 0, 0, 0, 0, 0,
    ]));
    list.push([&[3, 0x10, 1, 0x10, 2, 0, 0, 0][..], &[1; 8]].concat());
    list
}

fn names<'a>(tnef: &'a Tnef<'_>) -> Vec<(&'a str, &'a str, &'a [u8])> {
    let of = |file: &'a File<'_>| {
        (
            file.name.as_deref().unwrap(),
            &*file.content_type,
            file.bytes,
        )
    };
    tnef.files.iter().map(of).collect()
}

#[test]
fn files_under_their_long_names() {
    let stream = Stream::new()
        .code_page(1251)
        .message(&others())
        .file(
            "SHORT~1.TXT",
            Some(b"one"),
            &[unicode(0x3707, "Grüße an alle.txt")],
        )
        .file(
            "x",
            None,
            &[
                property(0x3707, 0x001E, b"\xcf\xf0\xe8.pdf\0"),
                property(0x370E, 0x001E, b"Application/PDF\0"),
                property(0x3712, 0x001E, b"cid1\0"),
                property(0x3701, 0x0102, b"%PDF"),
            ],
        )
        .file("plain.bin", Some(b"three"), &[])
        .finish();
    let tnef = read(&stream, 10).unwrap();
    assert_eq!(
        names(&tnef),
        [
            ("Grüße an alle.txt", "application/octet-stream", &b"one"[..]),
            ("При.pdf", "application/pdf", b"%PDF"),
            ("plain.bin", "application/octet-stream", b"three"),
        ]
    );
    assert_eq!(
        tnef.files
            .iter()
            .map(|file| file.is_inline)
            .collect::<Vec<_>>(),
        [false, true, false]
    );
    assert!(tnef.is_whole && tnef.text.is_none() && tnef.html.is_none());
}

#[test]
fn objects_are_kept_as_they_are() {
    let inner = Stream::new().message(&[unicode(0x1000, "inner")]).finish();
    let object = |content: &[u8]| property(0x3701, 0x000D, &[&[7; 16][..], content].concat());
    let stream = Stream::new()
        .file("A mail", None, &[object(&inner)])
        .file("A picture", None, &[object(b"storage")])
        .finish();
    let tnef = read(&stream, 10).unwrap();
    assert!(tnef.is_whole);
    assert_eq!(
        (&*tnef.files[0].content_type, tnef.files[0].bytes),
        ("application/vnd.ms-tnef", &*inner)
    );
    assert_eq!(tnef.files[1].bytes, [&[7; 16][..], b"storage"].concat());
}

#[test]
fn the_text_in_each_of_its_forms() {
    let rtf = |text: &str| {
        let head = [&[0; 4][..], &[0xFF; 4], b"MELA", &[0; 4]].concat();
        property(0x1009, 0x0102, &[&head, text.as_bytes()].concat())
    };
    let koi = [&[3, 0, 0xDE, 0x3F][..], &20866_u32.to_le_bytes()].concat();
    let word = b"\xf0\xd2\xc9\0";
    for (properties, text, html) in [
        (vec![unicode(0x1000, "Grüße")], Some("Grüße"), None),
        (
            vec![property(0x1000, 0x001E, b"\xcf\xf0\xe8\0")],
            Some("При"),
            None,
        ),
        (
            vec![property(0x1013, 0x0102, b"<p>\xcf\xf0\xe8")],
            None,
            Some("<p>При"),
        ),
        (vec![koi, property(0x1013, 0x0102, word)], None, Some("При")),
        (vec![unicode(0x1013, "<p>ü")], None, Some("<p>ü")),
        (
            vec![rtf(r"{\rtf1\fromtext Hello\par you}")],
            Some("Hello\nyou"),
            None,
        ),
        (
            vec![rtf(r"{\rtf1\fromhtml1{\*\htmltag <p>}Hi}")],
            None,
            Some("<p>Hi"),
        ),
        (
            vec![unicode(0x1000, " "), rtf(r"{\rtf1 seen}")],
            Some("seen"),
            None,
        ),
        (
            vec![unicode(0x1000, "words"), rtf(r"{\rtf1 other}")],
            Some("words"),
            None,
        ),
    ] {
        let stream = Stream::new().code_page(1251).message(&properties).finish();
        let tnef = read(&stream, 10).unwrap();
        assert_eq!((tnef.text.as_deref(), tnef.html.as_deref()), (text, html));
        assert!(tnef.is_whole);
    }
    let old = Stream::new()
        .attribute(1, 0x0002_800C, b"old words\0")
        .finish();
    assert_eq!(read(&old, 10).unwrap().text.as_deref(), Some("old words"));
}

#[test]
fn what_is_broken_is_said_and_the_rest_is_read() {
    let whole = || Stream::new().file("a", Some(b"one"), &[]);
    let mut wrong_sum = whole().finish();
    *wrong_sum.last_mut().unwrap() ^= 0xFF;
    assert!(read(&wrong_sum, 10).unwrap().is_whole);
    let mut cut = whole().file("b", Some(b"two"), &[]).finish();
    cut.truncate(cut.len() - 3);
    let no_bytes = whole().file("b", None, &[]).finish();
    let mut count = block(&[unicode(0x3707, "b")]);
    count[0] = 9;
    let miscounted = whole().attribute(2, 0x0006_9005, &count).finish();
    let unknown = whole().message(&[property(0x1000, 0x0099, b"x")]).finish();
    let no_rtf = whole().message(&[property(0x1009, 0x0102, b"x")]).finish();
    let too_many = whole().file("b", Some(b"two"), &[]).finish();
    for (stream, most) in [
        (cut, 10),
        (no_bytes, 10),
        (miscounted, 10),
        (unknown, 10),
        (no_rtf, 10),
        (too_many, 1),
    ] {
        let tnef = read(&stream, most).unwrap();
        assert!(!tnef.is_whole, "{tnef:?}");
        assert_eq!((tnef.files.len(), tnef.files[0].bytes), (1, &b"one"[..]));
    }
    assert_eq!(read(b"\x78\x9f\x3e", 10), None);
    assert_eq!(read(b"PK\x03\x04 and more", 10), None);
}

#[test]
fn streams_made_to_cost_cost_little() {
    let attribute = |number: u32, data: &[u8]| {
        let stream = Stream::new().attribute(2, number, data).finish();
        stream[6..].to_vec()
    };
    let rtf = |piece: &str| {
        let head = [&[0; 4][..], &[0xFF; 4], b"MELA", &[0; 4]].concat();
        let text = piece.repeat((1 << 20) / piece.len());
        let rtf = property(0x1009, 0x0102, &[&head, text.as_bytes()].concat());
        attribute(0x0006_9003, &block(&[rtf]))
    };
    let empty_values = [
        &[0x1E, 0, 0, 0x10][..],
        &(1_u32 << 17).to_le_bytes(),
        &vec![0; 1 << 20],
    ];
    for (name, body) in [
        ("files", attribute(0x0006_9002, &[]).repeat(90_000)),
        ("titles", attribute(0x0001_8010, b"x").repeat(90_000)),
        (
            "values",
            attribute(0x0006_9003, &block(&[empty_values.concat()])),
        ),
        ("groups", rtf("{")),
        ("closing", rtf("}")),
        ("fonts", rtf("{\\fonttbl{\\f1\\fcharset204 x;}}")),
        ("characters", rtf("\\u8364?\\'80")),
        ("hidden", rtf("{\\*\\x y}")),
    ] {
        let stream = [Stream::new().finish(), body].concat();
        let started = std::time::Instant::now();
        assert!(read(&stream, 1_000).is_some());
        let took = started.elapsed();
        assert!(took < std::time::Duration::from_secs(5), "{name}: {took:?}");
    }
}

proptest! {
    #[test]
    fn any_bytes_give_no_more_than_they_hold(
        noise in proptest::collection::vec(any::<u8>(), 0..600),
        numbers in proptest::collection::vec(
            (proptest::sample::select(&[0x9002_u16, 0x9003, 0x9005, 0x9007, 0x800C, 0x800F, 0x8010][..]), 0_usize..200),
            0..12,
        ),
    ) {
        let mut stream = Stream::new();
        for (number, from) in numbers {
            stream = stream.attribute(1, u32::from(number), noise.get(from..).unwrap_or_default());
        }
        let bytes = [stream.finish(), noise].concat();
        let tnef = read(&bytes, 5).unwrap();
        let size: usize = tnef.files.iter().map(|file| file.bytes.len()).sum();
        prop_assert!(tnef.files.len() <= 5 && size <= bytes.len());
        // A byte of a code page is at most three in UTF-8.
        let text = tnef.text.map_or(0, |text| text.len()) + tnef.html.map_or(0, |html| html.len());
        prop_assert!(text <= 8 * 9 * bytes.len());
    }

    #[test]
    fn any_rtf_is_read(rtf in "(\\{|\\}|\\\\[a-z]{1,8}-?[0-9]{0,6} ?|\\\\'[0-9a-f]{2}|\\\\\\*|[ -~]){0,200}") {
        let text = rtf::read(rtf.as_bytes()).text;
        prop_assert!(text.len() <= 3 * rtf.len());
    }

    #[test]
    fn any_compressed_rtf_is_bounded(size in any::<u32>(), data in proptest::collection::vec(any::<u8>(), 0..400)) {
        let head = [[0; 4], size.to_le_bytes(), *b"LZFu", [0; 4]].concat();
        let rtf = rtf_compressed::decompress(&[head, data.clone()].concat()).unwrap_or_default();
        prop_assert!(rtf.len() <= 9 * data.len() && rtf.len() <= size as usize);
    }
}
