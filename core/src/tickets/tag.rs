//! Tags that people give tickets.

/// The longest tag, in characters.
const LONGEST: usize = 40;

/// A tag of one's own, as it is kept: lower case; letters, digits, hyphens, dots and underscores. The words
/// before a colon are the desk's, for they follow from the ticket.
pub fn parse(text: &str) -> Option<String> {
    let tag = text.trim().to_lowercase();
    let is_tag = |c: char| c.is_alphanumeric() || matches!(c, '-' | '_' | '.');
    let is_right = !tag.is_empty() && tag.chars().count() <= LONGEST && tag.chars().all(is_tag);
    is_right.then_some(tag)
}

#[cfg(test)]
mod tests {
    use super::parse;

    #[test]
    fn tags_are_words() {
        assert_eq!(parse(" Needs-Details ").as_deref(), Some("needs-details"));
        assert_eq!(parse("größe_1.2").as_deref(), Some("größe_1.2"));
        for wrong in ["", "two words", "tier:fintech", &"a".repeat(41)] {
            assert_eq!(parse(wrong), None, "{wrong}");
        }
    }
}
