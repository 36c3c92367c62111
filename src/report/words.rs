//! The words for positions and relations in reports.
//!
//! **Trap.** Techniques bring their own words (title, remediation); nothing here may name one.

use crate::rbac::Scope;
use crate::techniques::{ANY, MOVED, Position, Relation, SOME};

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
        Position::Network(name) => format!("packets sent as group {name}"),
        Position::Port(pod, port, protocol) => format!("a connection to port {port}/{protocol} of Pod/{pod}"),
        Position::ApiServer => "a connection to the API server".to_owned(),
        Position::Secret(place) if place.name == ANY => format!("every Secret in {}", place.namespace),
        Position::ConfigMap(place) if place.name == ANY => format!("every ConfigMap in {}", place.namespace),
        Position::Secret(_) | Position::ConfigMap(_) => format!("all values of {position}"),
        Position::SecretKey(place, key) => format!("the value {key} of Secret/{place}"),
        Position::ConfigMapKey(place, key) => format!("the value {key} of ConfigMap/{place}"),
        Position::Volume(_) => format!("the contents of {position}"),
        Position::Database(_) => format!("the data of {position}"),
        Position::CloudIdentity(_) => format!("requests to the cloud as {position}"),
        Position::Namespace(_) => format!("control of everything in {position}"),
        Position::ClusterAdmin => "control of the whole cluster (ClusterAdmin)".to_owned(),
    }
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
    }
}
