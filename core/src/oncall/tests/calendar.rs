//! Calendars read back as they were written.

use proptest::prelude::*;

use super::super::{CalendarEntry, CalendarError, Layer, read_calendar, write_calendar};
use crate::clock::Timestamp;

const NOW: Timestamp = Timestamp::from_seconds(1_795_424_400);

fn entry(start: i64, hours: i64, schedule: &str, layer: Layer) -> CalendarEntry {
    CalendarEntry {
        start: Timestamp::from_seconds(start),
        end: Timestamp::from_seconds(start + hours * 3_600),
        schedule: schedule.to_owned(),
        layer,
    }
}

#[test]
fn it_is_as_the_standard_wants_it() {
    let long = "a-schedule-with-a-name-that-does-not-fit-on-one-line-of-seventy";
    let entries = [entry(1_795_424_400, 24, long, Layer::Primary)];
    let text = write_calendar("dana", &entries, NOW);
    for line in [
        "BEGIN:VCALENDAR\r\n",
        "VERSION:2.0\r\n",
        "DTSTAMP:20261123T090000Z\r\n",
        "DTSTART:20261123T090000Z\r\n",
        "DTEND:20261124T090000Z\r\n",
        "END:VCALENDAR\r\n",
    ] {
        assert_eq!(text.matches(line).count(), 1, "{line:?} in {text}");
    }
    assert!(text.contains("\r\n "), "a long line is folded: {text}");
    assert!(text.split("\r\n").all(|line| line.len() <= 75), "{text}");
    assert_eq!(text.matches('\n').count(), text.matches("\r\n").count());
    // Its end moves, and it stays the same entry; another beginning is another one.
    let uid = |entry: CalendarEntry| {
        let text = write_calendar("dana", &[entry], NOW).replace("\r\n ", "");
        let line = text.split("\r\n").find(|line| line.starts_with("UID:"));
        line.expect("each has one").to_owned()
    };
    let own = uid(entry(1_795_424_400, 24, "x", Layer::Primary));
    assert_eq!(uid(entry(1_795_424_400, 12, "x", Layer::Primary)), own);
    for other in [
        entry(1_795_424_401, 24, "x", Layer::Primary),
        entry(1_795_424_400, 24, "y", Layer::Primary),
        entry(1_795_424_400, 24, "x", Layer::Secondary),
    ] {
        assert_ne!(uid(other), own);
    }
    assert!(matches!(
        read_calendar(&text.replace("DTEND:2026", "DTEND:x")),
        Err(CalendarError::Property("DTEND"))
    ));
    assert_eq!(
        write_calendar("dana", &entries, NOW),
        text,
        "no clock, no dice"
    );
}

proptest! {
    #[test]
    fn it_reads_back_equal(
        shifts in proptest::collection::vec((1_500_000_000..4_000_000_000_i64, 1..400_i64, "[a-z0-9-]{1,64}", 0..2_usize), 0..20),
    ) {
        let entries: Vec<CalendarEntry> = shifts
            .iter()
            .map(|(start, hours, schedule, layer)| entry(*start, *hours, schedule, Layer::ALL[*layer]))
            .collect();
        let text = write_calendar("dana", &entries, NOW);
        prop_assert_eq!(read_calendar(&text).unwrap(), entries);
    }
}
