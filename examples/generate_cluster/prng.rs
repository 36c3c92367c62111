//! A small pseudo-random generator (splitmix64), so that a seed gives the same cluster on every machine.
//!
//! Source: <https://prng.di.unimi.it/splitmix64.c>

/// The letters of generated names: Kubernetes leaves out those that could form words.
const LETTERS: &[u8] = b"bcdfghjklmnpqrstvwxz2456789";

/// A stream of pseudo-random numbers.
#[derive(Clone, Debug)]
pub(crate) struct Prng(u64);

impl Prng {
    /// Returns the stream of a seed.
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// The next number.
    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number below `bound`; 0 if the bound is 0.
    pub(crate) fn below(&mut self, bound: usize) -> usize {
        let high = (u128::from(self.next()) * bound as u128) >> 64;
        usize::try_from(high).unwrap_or_default()
    }

    /// A number below `bound`; 0 if the bound is 0.
    pub(crate) fn below_u32(&mut self, bound: u32) -> u32 {
        let high = (u128::from(self.next()) * u128::from(bound)) >> 64;
        u32::try_from(high).unwrap_or_default()
    }

    /// True in `percent` of 100 cases.
    pub(crate) fn chance(&mut self, percent: usize) -> bool {
        self.below(100) < percent
    }

    /// One of several.
    pub(crate) fn pick<T: Copy>(&mut self, choices: &[T]) -> T {
        choices[self.below(choices.len())]
    }

    /// A suffix as controllers append it to names.
    pub(crate) fn suffix(&mut self, length: usize) -> String {
        (0..length).map(|_| char::from(self.pick(LETTERS))).collect()
    }

    /// A suffix of five letters that no other index gets for the same seed.
    pub(crate) fn unique_suffix(seed: u64, index: u32) -> String {
        const BASE: u64 = LETTERS.len() as u64;
        const COUNT: u64 = BASE.pow(5);
        // It has no factor in common with COUNT, so no two indexes below COUNT meet.
        const STRIDE: u64 = 9_876_541;
        let mut left = (seed % COUNT + u64::from(index) * STRIDE) % COUNT;
        let mut letter = || {
            let at = usize::try_from(left % BASE).unwrap_or_default();
            left /= BASE;
            char::from(LETTERS[at])
        };
        (0..5).map(|_| letter()).collect()
    }

    /// A uid in the shape of a version 4 UUID.
    pub(crate) fn uid(&mut self) -> String {
        let (a, b) = (self.next(), self.next());
        format!(
            "{:08x}-{:04x}-4{:03x}-a{:03x}-{:012x}",
            a >> 32,
            (a >> 16) & 0xffff,
            a & 0xfff,
            b >> 52,
            b & 0xffff_ffff_ffff
        )
    }
}
