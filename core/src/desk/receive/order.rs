//! The order in which a batch is decided: as given, but an answer after the mail it answers.

use std::collections::HashMap;

use crate::{receive::Prepared, tickets::threading};

/// Indices of `items`, parents first. Without recursion: a chain of answers may be as long as the
/// batch, and ids that refer to each other in a circle must end.
pub(super) fn parents_first(items: &[Prepared]) -> Vec<usize> {
    let mut by_header_id: HashMap<&str, usize> = HashMap::new();
    for (index, item) in items.iter().enumerate() {
        if let Some(id) = &item.mail.message_id {
            by_header_id.entry(id).or_insert(index);
        }
    }
    let mut order = Vec::with_capacity(items.len());
    let mut is_seen = vec![false; items.len()];
    for start in 0..items.len() {
        let mut stack = vec![(start, false)];
        while let Some((index, are_parents_done)) = stack.pop() {
            if are_parents_done {
                order.push(index);
                continue;
            }
            if std::mem::replace(&mut is_seen[index], true) {
                continue;
            }
            stack.push((index, true));
            let parents = threading::referred_ids(&items[index].mail);
            let parents = parents.filter_map(|id| by_header_id.get(id).copied());
            stack.extend(
                parents
                    .filter(|parent| !is_seen[*parent])
                    .map(|parent| (parent, false)),
            );
        }
    }
    order
}
