//! What the user may have meant.
//!
//! **Trap.** Only for error messages: the search is linear in all candidates.

/// How many suggestions are shown.
const SHOWN: usize = 3;

/// Returns the candidates nearest to `word`, best first; those that contain it count as near.
pub fn nearest<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Vec<&'a str> {
    let lower = word.to_lowercase();
    let limit = (word.chars().count() / 3).max(2);
    let mut near: Vec<(usize, &str)> = candidates
        .into_iter()
        .filter_map(|candidate| {
            let other = candidate.to_lowercase();
            if !lower.is_empty() && other.contains(&lower) {
                return Some((1, candidate));
            }
            let distance = distance(&lower, &other, limit)?;
            Some((distance, candidate))
        })
        .collect();
    near.sort_unstable();
    near.dedup();
    near.into_iter()
        .take(SHOWN)
        .map(|(_, candidate)| candidate)
        .collect()
}

/// Returns the sentence to follow an error about `word`, or nothing.
pub fn did_you_mean<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> String {
    let near = nearest(word, candidates);
    if near.is_empty() {
        String::new()
    } else {
        format!("; did you mean {}?", near.join(" or "))
    }
}

/// The edit distance (Levenshtein) of two words, unless it is above `limit`.
fn distance(left: &str, right: &str, limit: usize) -> Option<usize> {
    let right: Vec<char> = right.chars().collect();
    let length = left.chars().count();
    if length.abs_diff(right.len()) > limit {
        return None;
    }
    let mut row: Vec<usize> = (0..=right.len()).collect();
    for (i, a) in left.chars().enumerate() {
        let mut corner = row[0];
        row[0] = i + 1;
        for (j, b) in right.iter().enumerate() {
            let changed = corner + usize::from(a != *b);
            corner = row[j + 1];
            row[j + 1] = changed.min(row[j] + 1).min(corner + 1);
        }
    }
    row.last().copied().filter(|&distance| distance <= limit)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_comes_first_and_strangers_not_at_all() {
        let ids = ["Pod/shop/web", "Pod/shop/wet", "ClusterAdmin"];
        assert_eq!(nearest("Pod/shop/wex", ids), ["Pod/shop/web", "Pod/shop/wet"]);
        assert_eq!(nearest("clusteradmin", ids), ["ClusterAdmin"]);
        assert_eq!(nearest("shop/web", ids), ["Pod/shop/web"]);
        assert!(nearest("Secret/a/b", ids).is_empty());
    }

    #[test]
    fn distances_are_counted_in_edits() {
        assert_eq!(distance("kitten", "sitting", 5), Some(3));
        assert_eq!(distance("kitten", "sitting", 2), None);
    }
}
