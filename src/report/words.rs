//! The words for positions and relations in reports.
//!
//! **Trap.** Techniques bring their own words (title, remediation); nothing here may name one.

use crate::rbac::Scope;
use crate::techniques::{ANY, COPIED, FREE, MOVED, Position, RESTORED, Relation, SOME};

/// How many things of one kind are listed one by one.
const FEW: usize = 3;

/// Folds what is alike: of each kind either every message there is, or the first alone where there are more than a
/// few. With each comes how many stand behind it, itself included.
///
/// # Complexity
/// O(things × kinds).
pub fn folded<'a, T, K: Eq, M: Eq>(
    things: impl IntoIterator<Item = &'a T>,
    kind: impl Fn(&'a T) -> K,
    message: impl Fn(&'a T) -> M,
) -> Vec<(&'a T, usize)> {
    struct Kind<'a, T> {
        all: usize,
        distinct: Vec<(&'a T, usize)>,
    }
    let mut kinds: Vec<Kind<'a, T>> = Vec::new();
    for thing in things {
        let found = kinds
            .iter()
            .position(|known| kind(known.distinct[0].0) == kind(thing));
        let Some(at) = found else {
            kinds.push(Kind {
                all: 1,
                distinct: vec![(thing, 1)],
            });
            continue;
        };
        let known = &mut kinds[at];
        known.all += 1;
        let same = known
            .distinct
            .iter()
            .position(|(first, _)| message(first) == message(thing));
        match same {
            Some(same) => known.distinct[same].1 += 1,
            None if known.distinct.len() <= FEW => known.distinct.push((thing, 1)),
            None => {}
        }
    }
    let lines = |known: Kind<'a, T>| match known.distinct.as_slice() {
        [first, ..] if known.distinct.len() > FEW => vec![(first.0, known.all)],
        _ => known.distinct,
    };
    kinds.into_iter().flat_map(lines).collect()
}

/// Returns what the attacker has at a position, as a phrase: `code running in Pod/shop/web-0`.
pub fn gains(position: &Position) -> String {
    match position {
        Position::Internet => "packets from outside the cluster".to_owned(),
        Position::Pod(place) if place.name == MOVED => {
            format!(
                "the pods of {} that are made anew on a held node",
                place.namespace
            )
        }
        Position::Pod(_) | Position::Container(..) => format!("code running in {position}"),
        Position::Node(name) if name == SOME => "root on some node".to_owned(),
        Position::Node(_) => format!("root on {position}"),
        Position::Identity(_) => format!("API requests as {position}"),
        Position::Credential(_) => format!("the credential {position}"),
        Position::Grant(power, scope) => format!("the right to {}{}", power.title, place(scope)),
        Position::Network(name) if name == FREE => "packets that no egress policy closes".to_owned(),
        Position::Network(name) => match name.strip_prefix("port/").and_then(port_of_group) {
            Some((group, port)) => format!("a connection to port {port} of the pods of group {group}"),
            None => match name.strip_prefix("~to/") {
                Some(host) => format!("a connection to {host}"),
                None => format!("packets sent as group {name}"),
            },
        },
        Position::Port(pod, port, protocol) => format!("a connection to port {port}/{protocol} of Pod/{pod}"),
        Position::ApiServer => "a connection to the API server".to_owned(),
        Position::Secret(place) if place.name == ANY => format!("every Secret in {}", place.namespace),
        Position::ConfigMap(place) if place.name == ANY => format!("every ConfigMap in {}", place.namespace),
        Position::Secret(_) | Position::ConfigMap(_) => format!("all values of {position}"),
        Position::SecretKey(place, key) => format!("the value {key} of Secret/{place}"),
        Position::ConfigMapKey(place, key) => format!("the value {key} of ConfigMap/{place}"),
        Position::Volume(place) if place.namespace == RESTORED => match place.name.as_str() {
            "any" => "volumes restored by their handle".to_owned(),
            driver => format!("volumes of the driver {driver} restored by their handle"),
        },
        Position::Volume(place) if place.namespace == COPIED => {
            format!("what Velero in {} copied to its object store", place.name)
        }
        Position::Volume(_) => format!("the contents of {position}"),
        Position::Database(_) => format!("the data of {position}"),
        Position::CloudIdentity(_) => format!("requests to the cloud as {position}"),
        Position::Namespace(_) => format!("control of everything in {position}"),
        Position::ClusterAdmin => "control of the whole cluster (ClusterAdmin)".to_owned(),
    }
}

/// The group and the port in `shop/web/80/TCP`.
fn port_of_group(name: &str) -> Option<(&str, &str)> {
    let (rest, _) = name.rsplit_once('/')?;
    let (group, _) = rest.rsplit_once('/')?;
    Some((group, &name[group.len() + 1..]))
}

fn place(scope: &Scope) -> String {
    match scope {
        Scope::Cluster => " in the whole cluster".to_owned(),
        Scope::Namespace(namespace) => format!(" in namespace {namespace}"),
        Scope::Name { namespace, name } if namespace.is_empty() => format!(", named {name}"),
        Scope::Name { namespace, name } => format!(", named {name} in namespace {namespace}"),
    }
}

/// Returns a relation as a heading: what follows from what without any work.
pub(super) fn relation_title(relation: Relation) -> &'static str {
    match relation {
        Relation::HasContainer => "A pod is its containers",
        Relation::SendsAs => "A pod sends packets",
        Relation::Reaches => "The network lets packets through",
        Relation::HasKey => "A Secret or ConfigMap has keys",
        Relation::InGroup => "An identity is in its groups",
        Relation::Holds => "A role is bound",
        Relation::TalksTo => "Requests reach the API server",
        Relation::Covers => "A wider right covers a narrower one",
        Relation::Exposed => "The outside reaches the port",
        Relation::Includes => "A choice among many includes each",
        Relation::OneOf => "Any one of a kind will do",
        Relation::Assumed => "Taken to be held",
    }
}

/// Returns how to take back what a relation follows from, if someone decided it.
pub(super) fn relation_advice(relation: Relation) -> Option<&'static str> {
    match relation {
        Relation::Holds => {
            Some("Take the subject out of the binding, bind it in one namespace, or allow less in the role.")
        }
        Relation::Exposed => {
            Some("Expose only what must be reached from outside, and only to the addresses that need it.")
        }
        Relation::Reaches => Some("Let a network policy name who may connect, and let nobody else."),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn more_than_a_few_alike_are_one_line() {
        let things = ["a1", "b1", "a2", "a1", "b2", "b3", "b4", "b1", "c1"];
        let lines = folded(&things, |thing| &thing[..1], |thing| *thing);
        let lines: Vec<_> = lines.iter().map(|(thing, count)| (**thing, *count)).collect();
        assert_eq!(lines, [("a1", 2), ("a2", 1), ("b1", 5), ("c1", 1)]);
    }
}
