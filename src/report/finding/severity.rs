//! How bad a finding is: from what is lost, what it takes, and how sure it is.
//!
//! The rule, in this order:
//!
//! 1. Control of the cluster or of a control-plane node is critical; the data of a datastore and the Secrets of the
//!    system are high; anything else is medium. Data that somebody says is worth 8 or more is critical, worth 2 or less
//!    medium.
//! 2. One less if the cheapest path takes more effort than `HARD`, twelve.
//! 3. One less if the path depends on something that the input does not show.
//! 4. One more if it is certain: nothing has to be broken first, and nothing is assumed.
//!
//! **Trap.** The rule is documented for users (README, "Findings"); both change together.

use schemars::JsonSchema;
use serde::Serialize;

use crate::techniques::Position;

/// Data worth this much or more is like control of the cluster.
const PRECIOUS: u8 = 8;
/// Data worth this much or less is no loss to speak of.
const CHEAP: u8 = 2;
/// More effort than this makes a path hard: two public exploits and a little work.
const HARD: u32 = 12;

/// How bad a finding is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum FindingSeverity {
    /// Worth knowing.
    Low,
    /// To be changed when there is time.
    Medium,
    /// To be changed soon.
    High,
    /// To be changed now.
    Critical,
}

impl FindingSeverity {
    const ALL: [Self; 4] = [Self::Low, Self::Medium, Self::High, Self::Critical];

    /// The word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
            Self::Critical => "critical",
        }
    }

    /// The next lower one, if there is one.
    #[must_use]
    pub fn lower(self) -> Self {
        let at = Self::ALL.iter().position(|severity| *severity == self);
        Self::ALL[at.unwrap_or_default().saturating_sub(1)]
    }

    /// Returns the severity of losing `lost`, worth this much if somebody says, by a path of this effort and certainty.
    pub fn of(lost: &Position, worth: Option<u8>, effort: u32, certainty: &str) -> Self {
        let mut rank = match lost {
            Position::ClusterAdmin | Position::Node(_) => 3,
            Position::Database(_) if worth.is_some_and(|worth| worth >= PRECIOUS) => 3,
            Position::Database(_) if worth.is_some_and(|worth| worth <= CHEAP) => 1,
            Position::Database(_) | Position::Secret(_) | Position::SecretKey(..) => 2,
            _ => 1_usize,
        };
        if effort > HARD {
            rank = rank.saturating_sub(1);
        }
        match certainty {
            "conditional" => rank = rank.saturating_sub(1),
            "certain" => rank += 1,
            _ => {}
        }
        Self::ALL[rank.min(Self::ALL.len() - 1)]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::techniques::Place;

    #[test]
    fn each_part_of_the_rule_counts() {
        use FindingSeverity::{Critical, High, Low, Medium};
        let database = Position::Database(Place::new("shop", "mysql"));
        let volume = Position::Volume(Place::new("shop", "data"));
        for (lost, worth, effort, certainty, expected) in [
            (&Position::ClusterAdmin, None, HARD, "assumed", Critical),
            (&Position::ClusterAdmin, None, HARD + 1, "assumed", High),
            (&Position::ClusterAdmin, None, HARD + 1, "conditional", Medium),
            (&Position::ClusterAdmin, None, 1, "certain", Critical),
            (&database, None, 6, "assumed", High),
            (&database, Some(7), 6, "assumed", High),
            (&database, Some(8), 6, "assumed", Critical),
            (&database, Some(2), 6, "assumed", Medium),
            (&database, None, 2, "certain", Critical),
            (&database, None, 6, "conditional", Medium),
            (&volume, None, 30, "conditional", Low),
        ] {
            assert_eq!(
                FindingSeverity::of(lost, worth, effort, certainty),
                expected,
                "{lost} {worth:?} {effort} {certainty}"
            );
        }
    }
}
