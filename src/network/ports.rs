//! Sets of ports: per protocol, sorted disjoint ranges of 1 to 65535.
//!
//! **Trap.** Ranges that touch are merged, so that equal sets are equal values.

use std::fmt;

use crate::model::Protocol;

/// A set of (protocol, port).
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PortSet([Vec<(u16, u16)>; 3]);

const ALL: (u16, u16) = (1, u16::MAX);

impl PortSet {
    /// Every port of every protocol.
    pub fn all() -> Self {
        Self([vec![ALL], vec![ALL], vec![ALL]])
    }

    /// The ports of one protocol from `from` to `to`, both included; none if the range is inverted.
    ///
    /// Port 0 is no port and is left out.
    pub fn range(protocol: Protocol, from: u16, to: u16) -> Self {
        let mut set = Self::default();
        let from = from.max(1);
        if from <= to {
            set.0[protocol as usize].push((from, to));
        }
        set
    }

    /// Every port of one protocol.
    pub fn protocol(protocol: Protocol) -> Self {
        Self::range(protocol, ALL.0, ALL.1)
    }

    /// The ranges of one protocol, sorted and disjoint, both ends included.
    pub fn ranges(&self, protocol: Protocol) -> &[(u16, u16)] {
        &self.0[protocol as usize]
    }

    /// Whether the set holds this port.
    pub fn contains(&self, protocol: Protocol, port: u16) -> bool {
        let ranges = self.ranges(protocol);
        let after = ranges.partition_point(|&(from, _)| from <= port);
        after > 0 && port <= ranges[after - 1].1
    }

    /// Whether no port is in the set.
    pub fn is_empty(&self) -> bool {
        self.0.iter().all(Vec::is_empty)
    }

    /// Whether every port is in the set.
    pub fn is_all(&self) -> bool {
        self.0.iter().all(|ranges| ranges.as_slice() == [ALL])
    }

    /// The ports of either set.
    #[must_use]
    pub fn or(&self, other: &Self) -> Self {
        let both = |protocol: Protocol| {
            let mut all: Vec<_> = [self, other]
                .iter()
                .flat_map(|set| set.ranges(protocol))
                .copied()
                .collect();
            all.sort_unstable();
            let mut merged: Vec<(u16, u16)> = Vec::with_capacity(all.len());
            for (from, to) in all {
                match merged.last_mut() {
                    Some(last) if u32::from(from) <= u32::from(last.1) + 1 => last.1 = last.1.max(to),
                    _ => merged.push((from, to)),
                }
            }
            merged
        };
        Self(Protocol::ALL.map(both))
    }

    /// The ports of both sets.
    #[must_use]
    pub fn and(&self, other: &Self) -> Self {
        let both = |protocol: Protocol| {
            let (mut ours, mut theirs) = (self.ranges(protocol), other.ranges(protocol));
            let mut common = Vec::new();
            while let (Some(&(a, b)), Some(&(c, d))) = (ours.first(), theirs.first()) {
                if a.max(c) <= b.min(d) {
                    common.push((a.max(c), b.min(d)));
                }
                if b < d {
                    ours = &ours[1..];
                } else {
                    theirs = &theirs[1..];
                }
            }
            common
        };
        Self(Protocol::ALL.map(both))
    }

    /// The ports of this set that are not in `other`.
    #[must_use]
    pub fn minus(&self, other: &Self) -> Self {
        self.and(&other.complement())
    }

    fn complement(&self) -> Self {
        let rest = |protocol: Protocol| {
            let mut free = Vec::new();
            let mut next = ALL.0;
            for &(from, to) in self.ranges(protocol) {
                if next < from {
                    free.push((next, from - 1));
                }
                match to.checked_add(1) {
                    Some(after) => next = after,
                    None => return free,
                }
            }
            free.push((next, ALL.1));
            free
        };
        Self(Protocol::ALL.map(rest))
    }

    /// Each range with its protocol.
    pub fn iter(&self) -> impl Iterator<Item = (Protocol, u16, u16)> {
        let of = |protocol| self.ranges(protocol).iter().map(move |&(a, b)| (protocol, a, b));
        Protocol::ALL.into_iter().flat_map(of)
    }

    /// Some port of the set.
    pub fn first(&self) -> Option<(Protocol, u16)> {
        self.iter().next().map(|(protocol, from, _)| (protocol, from))
    }
}

/// `all`, or `TCP 80,443-445 UDP all`.
impl fmt::Display for PortSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_all() {
            return f.write_str("all");
        }
        let mut first = true;
        for protocol in Protocol::ALL {
            let ranges = self.ranges(protocol);
            if ranges.is_empty() {
                continue;
            }
            write!(f, "{}{protocol} ", if first { "" } else { " " })?;
            first = false;
            if ranges == [ALL] {
                f.write_str("all")?;
                continue;
            }
            for (at, (from, to)) in ranges.iter().enumerate() {
                let comma = if at == 0 { "" } else { "," };
                if from == to {
                    write!(f, "{comma}{from}")?;
                } else {
                    write!(f, "{comma}{from}-{to}")?;
                }
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn set(ranges: &[(u16, u16)]) -> PortSet {
        ranges.iter().fold(PortSet::default(), |set, &(from, length)| {
            set.or(&PortSet::range(Protocol::Udp, from, from.saturating_add(length)))
        })
    }

    proptest! {
        #[test]
        fn sets_behave_like_sets(
            a in prop::collection::vec((1u16..60, 0u16..9), 0..5),
            b in prop::collection::vec((1u16..60, 0u16..9), 0..5),
        ) {
            let (x, y) = (set(&a), set(&b));
            for port in 1..80 {
                let (p, q) = (x.contains(Protocol::Udp, port), y.contains(Protocol::Udp, port));
                prop_assert_eq!(x.or(&y).contains(Protocol::Udp, port), p || q);
                prop_assert_eq!(x.and(&y).contains(Protocol::Udp, port), p && q);
                prop_assert_eq!(x.minus(&y).contains(Protocol::Udp, port), p && !q);
            }
            prop_assert_eq!(x.minus(&y).or(&x.and(&y)), x);
        }
    }

    #[test]
    fn the_ends_are_ports_and_zero_is_none() {
        assert!(PortSet::all().is_all() && !PortSet::all().contains(Protocol::Tcp, 0));
        assert!(PortSet::all().minus(&PortSet::all()).is_empty());
        assert!(PortSet::range(Protocol::Tcp, 9, 8).is_empty());
        assert!(PortSet::range(Protocol::Tcp, 0, 0).is_empty());
        let halves = PortSet::range(Protocol::Tcp, 0, 8).or(&PortSet::range(Protocol::Tcp, 9, u16::MAX));
        assert_eq!(halves, PortSet::protocol(Protocol::Tcp));
        assert_eq!(halves.to_string(), "TCP all");
    }
}
