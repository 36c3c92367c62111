//! What the input cannot tell and the user may.

/// Whether addresses in a policy match pods and nodes that have them.
///
/// The specification leaves it open: Cilium never does it, most other plugins always do.
/// Source: <https://kubernetes.io/docs/concepts/services-networking/network-policies/#behavior-of-to-and-from-selectors>
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum IpBlockMatch {
    /// They match.
    Always,
    /// They do not, in no kind of policy.
    Never,
    /// As the network plugin of the input does it; where the input does not show the plugin, what is allowed
    /// only by such a match is unknown.
    #[default]
    Auto,
}

/// What to take for given.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Options {
    /// Whether addresses in a policy match pods.
    pub ipblock_matches_pods: IpBlockMatch,
    /// Whether policies have an effect.
    pub enforcement: Enforcement,
}

/// Whether policies have an effect.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Enforcement {
    /// As far as the network plugin of the input enforces them; all of them where the input shows none.
    #[default]
    Auto,
    /// All of them have.
    Enforced,
    /// None of them has.
    Ignored,
}
