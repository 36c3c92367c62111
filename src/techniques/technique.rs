//! What a technique is, and the macro that declares one.
//!
//! A technique describes itself once: its doc comment is the rustdoc, the `explain` page and part of the
//! tests. The macro also builds the family's slice, so that registration cannot be forgotten.
//!
//! **Trap.** Only its own fixture (`tests/attacks/<ID>.md`) runs a technique alone; other tests must not
//! depend on which techniques exist.

use super::{Certainty, Context, Evidence, Family, Few, Label, Position, Reason, Step};

/// One technique of the catalogue.
#[derive(Debug)]
pub struct Technique {
    /// Stable name in SCREAMING_SNAKE_CASE, KubeHound's where the meaning is the same.
    pub id: &'static str,
    /// A short name for headings.
    pub title: &'static str,
    /// What it belongs to.
    pub family: Family,
    /// The doc comment in Markdown: what, preconditions, what does not suffice.
    pub docs: &'static str,
    /// Labels of the premises that its steps may have.
    pub from: &'static [Label],
    /// Label of its conclusions.
    pub to: &'static [Label],
    /// MITRE ATT&CK technique ids.
    pub mitre: &'static [&'static str],
    /// Microsoft's threat matrix for Kubernetes ids.
    pub microsoft: &'static [&'static str],
    /// OWASP Kubernetes Top 10 (2025) ids.
    pub owasp: &'static [&'static str],
    /// Recommendations of the CIS Kubernetes Benchmark that stop it.
    pub cis: &'static [&'static str],
    /// Names of Falco's rules that see it.
    ///
    /// Source: <https://github.com/falcosecurity/rules>, <https://github.com/falcosecurity/plugins/tree/main/plugins/k8saudit>
    pub falco: &'static [&'static str],
    /// Its fixture: cases in which it fires and others in which it does not.
    pub cases: &'static str,
    /// What one use of it costs, 1 to 8.
    pub effort: u8,
    /// How to stop it, in the imperative.
    pub remediation: &'static str,
    /// Where the behaviour is documented.
    pub references: &'static [&'static str],
    /// Finds every use of it in a cluster.
    pub derive: fn(&Context<'_>, &mut Sink<'_>),
}

/// Declares techniques: `techniques! { FAMILY, Family::Escape; /// docs … ID: [From] => [To] { … } }`.
macro_rules! techniques {
    ($slice:ident, $family:expr; $(
        $(#[doc = $doc:literal])+
        $id:ident: [$($from:ident),+] => [$($to:ident),+] {
            title: $title:literal,
            mitre: $mitre:expr,
            microsoft: $microsoft:expr,
            owasp: $owasp:expr,
            $(cis: [$($cis:literal),+ $(,)?],)?
            $(falco: [$($falco:literal),+ $(,)?],)?
            effort: $effort:literal,
            remediation: $remediation:literal,
            references: $references:expr,
            derive: $derive:path $(,)?
        }
    )+) => {
        $(
            $(#[doc = $doc])+
            pub static $id: $crate::techniques::Technique = $crate::techniques::Technique {
                id: stringify!($id),
                title: $title,
                family: $family,
                docs: concat!($($doc, "\n"),+),
                from: &[$($crate::techniques::Label::$from),+],
                to: &[$($crate::techniques::Label::$to),+],
                mitre: &$mitre,
                microsoft: &$microsoft,
                owasp: &$owasp,
                cis: &[$($($cis),+)?],
                falco: &[$($($falco),+)?],
                cases: include_str!(concat!(
                    env!("CARGO_MANIFEST_DIR"),
                    "/tests/attacks/",
                    stringify!($id),
                    ".md"
                )),
                effort: $effort,
                remediation: $remediation,
                references: &$references,
                derive: $derive,
            };
        )+
        /// The techniques of this file.
        pub(super) static $slice: &[&$crate::techniques::Technique] = &[$(&$id),+];
    };
}
pub(crate) use techniques;

/// Where a technique puts the steps it finds.
#[derive(Debug)]
pub struct Sink<'a> {
    technique: &'static Technique,
    steps: &'a mut Vec<Step>,
}

impl<'a> Sink<'a> {
    /// Returns a sink that adds the steps of `technique` to `steps`.
    pub fn new(technique: &'static Technique, steps: &'a mut Vec<Step>) -> Self {
        Self { technique, steps }
    }

    /// Adds a certain step of the technique's usual effort.
    pub fn step(
        &mut self,
        premises: impl IntoIterator<Item = Position>,
        conclusion: Position,
        evidence: impl IntoIterator<Item = Evidence>,
    ) {
        self.step_if(premises, conclusion, Certainty::Certain, evidence);
    }

    /// Adds a step of the technique's usual effort.
    pub fn step_if(
        &mut self,
        premises: impl IntoIterator<Item = Position>,
        conclusion: Position,
        certainty: Certainty,
        evidence: impl IntoIterator<Item = Evidence>,
    ) {
        let premises: Few<Position> = premises.into_iter().collect();
        let technique = self.technique;
        debug_assert!(
            !premises.is_empty(),
            "{} has a step without premises",
            technique.id
        );
        self.steps.push(Step {
            reason: Reason::Technique(technique),
            premises,
            conclusion,
            effort: technique.effort,
            certainty,
            evidence: evidence.into_iter().collect(),
        });
    }
}
