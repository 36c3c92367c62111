//! Sets of small numbers: the units of the network, at most a few ten thousand of them.
//!
//! Most sets lie in one namespace, whose units are neighbours, so a set keeps only the words of its bitset from
//! the first member to the last.
//!
//! **Trap.** Sets are canonical (no empty word at either end), so that equal sets are equal values.

/// Bits of a word.
const BITS: usize = u64::BITS as usize;

/// A set of unit numbers.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct UnitSet {
    /// The number of the first word that is kept.
    start: usize,
    words: Box<[u64]>,
}

impl UnitSet {
    /// The numbers from 0 up to `end`, `end` left out.
    pub(super) fn up_to(end: usize) -> Self {
        Self::range(0, end)
    }

    /// The numbers from `from` up to `end`, `end` left out.
    pub(super) fn range(from: usize, end: usize) -> Self {
        (from..end).collect()
    }

    fn trimmed(mut start: usize, words: &[u64]) -> Self {
        let Some(first) = words.iter().position(|word| *word != 0) else {
            return Self::default();
        };
        let last = words.iter().rposition(|word| *word != 0).unwrap_or(first);
        start += first;
        Self {
            start,
            words: words[first..=last].into(),
        }
    }

    fn word(&self, number: usize) -> u64 {
        number
            .checked_sub(self.start)
            .and_then(|at| self.words.get(at))
            .copied()
            .unwrap_or(0)
    }

    fn end(&self) -> usize {
        self.start + self.words.len()
    }

    /// The numbers of the words with a member in them.
    pub(super) fn words(&self) -> impl Iterator<Item = usize> {
        let filled = self.words.iter().enumerate().filter(|(_, word)| **word != 0);
        filled.map(|(at, _)| self.start + at)
    }

    /// Whether there is no member.
    pub fn is_empty(&self) -> bool {
        self.words.is_empty()
    }

    /// How many members there are.
    pub fn len(&self) -> usize {
        self.words.iter().map(|word| word.count_ones() as usize).sum()
    }

    /// Whether `unit` is a member.
    pub fn contains(&self, unit: usize) -> bool {
        self.word(unit / BITS) & (1 << (unit % BITS)) != 0
    }

    /// The members, ascending.
    pub fn iter(&self) -> impl Iterator<Item = usize> {
        self.words.iter().enumerate().flat_map(move |(at, word)| {
            let mut left = *word;
            std::iter::from_fn(move || {
                let bit = left.trailing_zeros() as usize;
                left &= left.checked_sub(1)?;
                Some((self.start + at) * BITS + bit)
            })
        })
    }

    /// The smallest member.
    pub fn first(&self) -> Option<usize> {
        self.iter().next()
    }

    /// Whether the sets have a member in common.
    pub fn meets(&self, other: &Self) -> bool {
        let range = self.start.max(other.start)..self.end().min(other.end());
        range.into_iter().any(|at| self.word(at) & other.word(at) != 0)
    }

    /// The members of both.
    pub(super) fn and(&self, other: &Self) -> Self {
        let start = self.start.max(other.start);
        let end = self.end().min(other.end());
        let words: Vec<u64> = (start..end).map(|at| self.word(at) & other.word(at)).collect();
        Self::trimmed(start, &words)
    }

    /// The members of either.
    pub(super) fn or(&self, other: &Self) -> Self {
        if self.is_empty() {
            return other.clone();
        }
        if other.is_empty() {
            return self.clone();
        }
        let start = self.start.min(other.start);
        let end = self.end().max(other.end());
        let words: Vec<u64> = (start..end).map(|at| self.word(at) | other.word(at)).collect();
        Self::trimmed(start, &words)
    }

    /// The set after every number became a run of numbers: that of `n` is from `starts[n]` up to `starts[n + 1]`.
    pub(super) fn spread(&self, starts: &[usize]) -> Self {
        let (Some(first), Some(last)) = (self.first(), self.iter().last()) else {
            return Self::default();
        };
        let start = starts[first] / BITS;
        let mut words = vec![0; (starts[last + 1].max(1) - 1) / BITS + 1 - start];
        for unit in self.iter() {
            for number in starts[unit]..starts[unit + 1] {
                words[number / BITS - start] |= 1 << (number % BITS);
            }
        }
        Self::trimmed(start, &words)
    }

    /// The members that are not in `other`.
    pub(super) fn minus(&self, other: &Self) -> Self {
        let words: Vec<u64> = (self.start..self.end())
            .map(|at| self.word(at) & !other.word(at))
            .collect();
        Self::trimmed(self.start, &words)
    }
}

impl FromIterator<usize> for UnitSet {
    fn from_iter<I: IntoIterator<Item = usize>>(units: I) -> Self {
        let mut units: Vec<usize> = units.into_iter().collect();
        if !units.is_sorted() {
            units.sort_unstable();
        }
        let (Some(first), Some(last)) = (units.first(), units.last()) else {
            return Self::default();
        };
        let start = first / BITS;
        let mut words = vec![0; last / BITS - start + 1];
        for unit in units {
            words[unit / BITS - start] |= 1 << (unit % BITS);
        }
        Self {
            start,
            words: words.into(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeSet;

    proptest! {
        #[test]
        fn sets_behave_like_sets(a in prop::collection::btree_set(0usize..400, 0..40), b in prop::collection::btree_set(0usize..400, 0..40)) {
            let of = |members: &BTreeSet<usize>| members.iter().copied().collect::<UnitSet>();
            let (x, y) = (of(&a), of(&b));
            prop_assert_eq!(x.and(&y), of(&a.intersection(&b).copied().collect()));
            prop_assert_eq!(x.or(&y), of(&a.union(&b).copied().collect()));
            prop_assert_eq!(x.minus(&y), of(&a.difference(&b).copied().collect()));
            prop_assert_eq!(x.meets(&y), !a.is_disjoint(&b));
            prop_assert_eq!(x.len(), a.len());
            prop_assert_eq!(x.iter().collect::<BTreeSet<_>>(), a.clone());
            prop_assert_eq!(x.first(), a.first().copied());
            let starts: Vec<usize> = (0..=400).map(|unit| unit + unit / 7).collect();
            let runs = a.iter().flat_map(|&unit| starts[unit]..starts[unit + 1]);
            prop_assert_eq!(x.spread(&starts), runs.collect());
            prop_assert!((0..400).all(|unit| x.contains(unit) == a.contains(&unit)));
        }
    }
}
