//! An invitation in words (RFC 5545): what, when, where, and what is asked of whoever gets it.

/// The first entry of a calendar as a line each; `None` where it says nothing of the kind.
pub(crate) fn in_words(calendar: &str) -> Option<String> {
    let lines = unfolded(calendar);
    let method = find(&lines, "METHOD");
    let start = lines.iter().position(|line| {
        let line = line.trim_end();
        ["BEGIN:VEVENT", "BEGIN:VTODO"]
            .iter()
            .any(|begin| line.eq_ignore_ascii_case(begin))
    })?;
    let entry = &lines[start + 1..];
    // A reminder inside an entry has a description of its own.
    let end = entry
        .iter()
        .position(|line| starts_with(line, "END:") || starts_with(line, "BEGIN:"));
    let entry = &entry[..end.unwrap_or(entry.len())];
    let mut words = String::new();
    let title = match method.as_deref().map(str::to_ascii_uppercase).as_deref() {
        Some("CANCEL") => "Cancelled",
        Some("REPLY") => "Answer to the invitation",
        _ => "Invitation",
    };
    for (label, value) in [
        (title, find(entry, "SUMMARY")),
        ("Start", find(entry, "DTSTART").map(|time| readable(&time))),
        ("End", find(entry, "DTEND").map(|time| readable(&time))),
        ("Where", find(entry, "LOCATION")),
        ("Kind", method),
        ("", find(entry, "DESCRIPTION")),
    ] {
        let Some(value) = value.filter(|value| !value.trim().is_empty()) else {
            continue;
        };
        if label.is_empty() {
            words.push('\n');
        } else {
            words.push_str(label);
            words.push_str(": ");
        }
        words.push_str(value.trim());
        words.push('\n');
    }
    (!words.is_empty()).then_some(words)
}

/// Long lines go on behind a line end and a blank.
fn unfolded(calendar: &str) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for line in calendar.lines() {
        match (line.strip_prefix([' ', '\t']), lines.last_mut()) {
            (Some(more), Some(last)) => last.push_str(more),
            _ => lines.push(line.to_owned()),
        }
    }
    lines
}

fn starts_with(line: &str, prefix: &str) -> bool {
    line.get(..prefix.len())
        .is_some_and(|start| start.eq_ignore_ascii_case(prefix))
}

/// The value of the first property of a name; of a time with its zone.
fn find(lines: &[String], name: &str) -> Option<String> {
    lines.iter().find_map(|line| {
        let rest = starts_with(line, name).then(|| &line[name.len()..])?;
        let (parameters, value) = if rest.starts_with(';') {
            split_parameters(rest)?
        } else {
            ("", rest.strip_prefix(':')?)
        };
        let zone = parameters.split(';').find_map(|one| {
            let zone = starts_with(one, "TZID=").then(|| &one[5..])?;
            Some(format!(" {}", zone.trim_matches('"')))
        });
        Some(unescaped(value) + &zone.unwrap_or_default())
    })
}

/// At the first colon that stands in no quotes.
fn split_parameters(rest: &str) -> Option<(&str, &str)> {
    let mut is_quoted = false;
    let colon = rest.bytes().position(|byte| {
        is_quoted ^= byte == b'"';
        byte == b':' && !is_quoted
    })?;
    Some((&rest[..colon], &rest[colon + 1..]))
}

fn unescaped(value: &str) -> String {
    let mut text = String::with_capacity(value.len());
    let mut chars = value.chars();
    while let Some(char) = chars.next() {
        match char {
            '\\' => match chars.next() {
                Some('n' | 'N') => text.push('\n'),
                Some(other) => text.push(other),
                None => {}
            },
            _ => text.push(char),
        }
    }
    text
}

/// `20261124T093000Z` as people write it; what has another shape stays as it is.
fn readable(time: &str) -> String {
    let digits = |range: std::ops::Range<usize>| {
        let part = time.get(range)?;
        part.bytes()
            .all(|byte| byte.is_ascii_digit())
            .then_some(part)
    };
    let (Some(year), Some(month), Some(day)) = (digits(0..4), digits(4..6), digits(6..8)) else {
        return time.to_owned();
    };
    let date = format!("{year}-{month}-{day}");
    match (time.get(8..9), digits(9..11), digits(11..13)) {
        (Some("T"), Some(hour), Some(minute)) => {
            let rest = time.get(15..).unwrap_or_default();
            let zone = if rest == "Z" { " UTC" } else { rest };
            format!("{date} {hour}:{minute}{zone}")
        }
        _ => date + time.get(8..).unwrap_or_default(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_when_and_where() {
        let calendar = "BEGIN:VCALENDAR\r\nMETHOD:REQUEST\r\nBEGIN:VTIMEZONE\r\nDTSTART:16010101T030000\r\nEND:VTIMEZONE\r\n\
             BEGIN:VEVENT\r\nSUMMARY;LANGUAGE=\"de:x\":Störung\\, Teil 2\r\nDTSTART;TZID=\"Europe/Berlin\":20261124T\r\n 093000\r\n\
             DTEND:20261124T100000Z\r\nLOCATION:Room 4\\; left\r\nDESCRIPTION:one\\ntwo\r\n\
             BEGIN:VALARM\r\nSUMMARY:no\r\nEND:VALARM\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n";
        assert_eq!(
            in_words(calendar).unwrap(),
            "Invitation: Störung, Teil 2\nStart: 2026-11-24 09:30 Europe/Berlin\nEnd: 2026-11-24 10:00 UTC\n\
             Where: Room 4; left\nKind: REQUEST\n\none\ntwo\n"
        );
        let day = "BEGIN:VEVENT\nSUMMARY:x\nDTSTART;VALUE=DATE:20261124\nEND:VEVENT";
        assert_eq!(in_words(day).unwrap(), "Invitation: x\nStart: 2026-11-24\n");
        assert_eq!(in_words("METHOD:REQUEST\nnothing"), None);
        assert_eq!(readable("soon"), "soon");
    }
}
