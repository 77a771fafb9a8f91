//! How much of a ticket may leave for a place like Discord.

use crate::named::named_enum;

named_enum! {
    /// Each level contains the ones before it, and orders after them.
    pub enum Disclosure as "level of disclosure" {
        /// Number, severity, clock, and an alias for the customer.
        Alias = "alias",
        /// The customer's name, the tier, the requester's role.
        Metadata = "metadata",
        /// The subject, secrets masked.
        Subject = "subject",
        /// 200 characters of the text, secrets masked.
        Excerpt = "excerpt",
        /// Everything.
        Full = "full",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn levels_order_from_least_to_most() {
        assert!(Disclosure::ALL.is_sorted());
        assert!("everything".parse::<Disclosure>().is_err());
    }
}
