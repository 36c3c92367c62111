//! Sets of ports: per protocol, sorted disjoint ranges of 1 to 65535.

use crate::model::Protocol;

/// A set of (protocol, port).
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PortSet([Vec<(u16, u16)>; 3]);

impl PortSet {
    /// Every port of every protocol.
    pub fn all() -> Self {
        Self([vec![(1, u16::MAX)], vec![(1, u16::MAX)], vec![(1, u16::MAX)]])
    }

    /// The ranges of one protocol, sorted and disjoint, both ends included.
    pub fn ranges(&self, protocol: Protocol) -> &[(u16, u16)] {
        &self.0[protocol as usize]
    }

    /// Whether the set holds this port.
    pub fn contains(&self, protocol: Protocol, port: u16) -> bool {
        self.ranges(protocol)
            .iter()
            .any(|&(from, to)| from <= port && port <= to)
    }
}
