//! Addresses: blocks of them, and the cells that the borders of all blocks cut the address space into.
//!
//! Two addresses of one cell are alike to every policy.
//!
//! **Trap.** IPv4 and IPv6 are two spaces. `0.0.0.0/0` says nothing about IPv6.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::IpNet;

/// One of the two address spaces.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Space {
    V4,
    V6,
}

impl Space {
    const BOTH: [Self; 2] = [Self::V4, Self::V6];

    fn last(self) -> u128 {
        match self {
            Self::V4 => u128::from(u32::MAX),
            Self::V6 => u128::MAX,
        }
    }

    fn address(self, number: u128) -> IpAddr {
        match self {
            Self::V4 => Ipv4Addr::from(u32::try_from(number).unwrap_or(u32::MAX)).into(),
            Self::V6 => Ipv6Addr::from(number).into(),
        }
    }
}

fn placed(address: IpAddr) -> (Space, u128) {
    match address {
        IpAddr::V4(address) => (Space::V4, u32::from(address).into()),
        IpAddr::V6(address) => (Space::V6, address.into()),
    }
}

/// Addresses from the first to the last, both included.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Range {
    space: Space,
    from: u128,
    to: u128,
}

impl Range {
    /// The first address.
    pub fn first(&self) -> IpAddr {
        self.space.address(self.from)
    }

    /// The last address.
    pub fn last(&self) -> IpAddr {
        self.space.address(self.to)
    }

    /// Whether it is a range of IPv6 addresses.
    pub fn is_ipv6(&self) -> bool {
        self.space == Space::V6
    }

    /// Whether it holds every address of its family.
    pub fn is_whole(&self) -> bool {
        self.from == 0 && self.to == self.space.last()
    }

    /// Whether the address is in the range.
    pub fn contains(&self, address: IpAddr) -> bool {
        let (space, number) = placed(address);
        space == self.space && self.from <= number && number <= self.to
    }

    /// The addresses of both.
    pub(super) fn common(&self, other: &Self) -> Option<Self> {
        let (from, to) = (self.from.max(other.from), self.to.min(other.to));
        (self.space == other.space && from <= to).then_some(Self { from, to, ..*self })
    }

    /// How many addresses there are, one too few for all of IPv6.
    pub(super) fn size(&self) -> u128 {
        (self.to - self.from).saturating_add(1)
    }

    /// Returns both as one if they touch.
    pub fn joined(&self, next: &Self) -> Option<Self> {
        let touch = self.space == next.space && self.to.checked_add(1) == Some(next.from);
        touch.then_some(Self { to: next.to, ..*self })
    }
}

/// `10.0.0.0-10.255.255.255`; all of IPv6 is `::/0`.
impl fmt::Display for Range {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_ipv6() && self.is_whole() {
            return f.write_str("::/0");
        }
        write!(f, "{}-{}", self.first(), self.last())
    }
}

impl From<IpNet> for Range {
    fn from(net: IpNet) -> Self {
        let (space, from) = placed(net.network());
        let (_, to) = placed(net.broadcast());
        Self { space, from, to }
    }
}

/// Blocks of addresses without others.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(super) struct Block {
    /// What is in it.
    pub(super) within: Vec<Range>,
    /// What of that is not.
    pub(super) except: Vec<Range>,
    /// Whether it matches pods and nodes that have such an address.
    pub(super) in_cluster: InCluster,
}

/// Whether a block matches pods and nodes that have an address in it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub(super) enum InCluster {
    /// As the network plugin has it.
    #[default]
    Plugin,
    /// The kind of policy says that it does.
    Matches,
    /// It stands for whatever has the address, nodes and pods too.
    Always,
    /// The kind of policy says that it does not.
    Never,
    /// It matches nodes and pods in their networks, as a switch of the plugin says.
    Nodes,
}

impl Block {
    fn borders(&self) -> impl Iterator<Item = &Range> {
        self.within.iter().chain(&self.except)
    }
}

/// Reads a CIDR.
///
/// # Errors
/// Returns what is wrong with it.
pub(super) fn cidr(text: &str) -> Result<Range, String> {
    text.trim()
        .parse::<IpNet>()
        .map(Range::from)
        .map_err(|_| format!("{text} is no CIDR"))
}

/// The address space of both families, cut at every border of the blocks.
#[derive(Clone, Debug, Default)]
pub(super) struct Cells(Vec<Range>);

impl Cells {
    /// Cuts at the borders of these blocks.
    pub(super) fn new<'a>(blocks: impl IntoIterator<Item = &'a Block>) -> Self {
        let mut starts: Vec<(Space, u128)> = Space::BOTH.map(|space| (space, 0)).to_vec();
        for range in blocks.into_iter().flat_map(Block::borders) {
            starts.push((range.space, range.from));
            if range.to < range.space.last() {
                starts.push((range.space, range.to + 1));
            }
        }
        starts.sort_unstable();
        starts.dedup();
        let ends = starts.iter().skip(1).map(Some).chain([None]);
        let cell = |(&(space, from), next): (&(Space, u128), Option<&(Space, u128)>)| Range {
            space,
            from,
            to: match next {
                Some((next_space, next)) if *next_space == space => next - 1,
                _ => space.last(),
            },
        };
        Self(starts.iter().zip(ends).map(cell).collect())
    }

    /// The cells, IPv4 first, ascending.
    pub(super) fn ranges(&self) -> &[Range] {
        &self.0
    }

    /// The number of the cell that holds an address.
    pub(super) fn of(&self, address: IpAddr) -> usize {
        let (space, number) = placed(address);
        let after = self
            .0
            .partition_point(|cell| (cell.space, cell.from) <= (space, number));
        after.saturating_sub(1)
    }
}

/// Whether an address is one that the internet does not route: private, shared, link-local, loopback or for
/// documentation only by name.
///
/// Source: <https://www.iana.org/assignments/iana-ipv4-special-registry/>
pub(super) fn is_private(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => {
            let [a, b, ..] = address.octets();
            address.is_private()
                || address.is_loopback()
                || address.is_link_local()
                || address.is_unspecified()
                || (a == 100 && b & 0xc0 == 64)
                || a >= 224
        }
        IpAddr::V6(address) => address.segments()[0] & 0xe000 != 0x2000,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn block(within: &str, except: &[&str]) -> Block {
        Block {
            within: vec![cidr(within).unwrap()],
            except: except.iter().map(|text| cidr(text).unwrap()).collect(),
            in_cluster: InCluster::Plugin,
        }
    }

    #[test]
    fn cells_end_at_every_border() {
        let blocks = [block("10.0.0.0/8", &["10.1.0.0/16"]), block("fd00::/8", &[])];
        let cells = Cells::new(&blocks);
        let shown: Vec<_> = cells.ranges().iter().map(ToString::to_string).collect();
        assert_eq!(
            shown,
            [
                "0.0.0.0-9.255.255.255",
                "10.0.0.0-10.0.255.255",
                "10.1.0.0-10.1.255.255",
                "10.2.0.0-10.255.255.255",
                "11.0.0.0-255.255.255.255",
                "::-fcff:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
                "fd00::-fdff:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
                "fe00::-ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
            ]
        );
        for text in [
            "10.1.2.3",
            "0.0.0.0",
            "255.255.255.255",
            "fd00::1",
            "::1",
            "ffff::",
        ] {
            let address: IpAddr = text.parse().unwrap();
            assert!(cells.ranges()[cells.of(address)].contains(address), "{text}");
        }
    }

    #[test]
    fn host_bits_of_a_cidr_do_not_count() {
        assert_eq!(cidr("10.0.0.5/8"), cidr("10.0.0.0/8"));
        assert!(cidr("10.0.0.0").is_err() && cidr("10.0.0.0/33").is_err() && cidr("").is_err());
    }
}
