//! Positions: what an attacker can hold. They are the vertices of the attack graph.
//!
//! The text form is the id that users see and type, `Kind/namespace/name`.
//!
//! **Trap.** Ids are for people; code compares the values. Two positions of different labels may carry the
//! same names.

use std::fmt;
use std::hash::{Hash, Hasher};

use crate::model::{Protocol, Text};
use crate::rbac::{Identity, Power, Scope};

/// Something the attacker holds.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Position {
    /// Sends packets from outside the cluster.
    Internet,
    /// Runs code in any container of the pod it chooses; running in one of them is [`Position::Container`].
    Pod(Place),
    /// Runs code in one container: `Container/namespace/pod/container`.
    Container(Place, Text),
    /// Is root on the node.
    Node(Text),
    /// Sends API requests as this identity.
    Identity(Identity),
    /// Holds a token, key or password, wherever it may be used; named after what it opens.
    Credential(Opens),
    /// May do one dangerous thing in one scope.
    Grant(&'static Power, Scope),
    /// Sends packets that policies see as coming from this group of pods, or through this hub.
    Network(Text),
    /// Exchanges packets with this listening port: `Port/namespace/pod/port/protocol`.
    Port(Place, u16, Protocol),
    /// Exchanges packets with the API server.
    ApiServer,
    /// Has read all values of a Secret.
    Secret(Place),
    /// Has read one key of a Secret.
    SecretKey(Place, Text),
    /// Has read all values of a ConfigMap.
    ConfigMap(Place),
    /// Has read one key of a ConfigMap.
    ConfigMapKey(Place, Text),
    /// Reads or writes the contents of a volume.
    Volume(Place),
    /// Reads or writes the data of a datastore; the place is its workload's.
    Database(Place),
    /// Acts as this cloud role.
    CloudIdentity(Text),
    /// Controls everything in the namespace.
    Namespace(Text),
    /// Controls the cluster.
    ClusterAdmin,
}

/// The name that stands for a choice among all of a kind.
pub const ANY: &str = "*";

/// The name that stands for one of a kind, whichever it is: `Node/~held` is held as soon as any node is.
pub const SOME: &str = "~held";
/// The name that stands for the pods of a namespace that are made anew on a held node.
pub const MOVED: &str = "~moved";
/// The namespace of the positions of those who restore volumes by their handle; the name is the CSI driver's.
pub const RESTORED: &str = "~restored";
/// The namespace of the positions of those who read what Velero copied; the name is the namespace that it runs in.
pub const COPIED: &str = "~copied";
/// The name of the network position of everyone whose egress no policy closes.
pub const FREE: &str = "~free";

/// A namespace and a name in it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Place {
    /// The namespace.
    pub namespace: Text,
    /// The name.
    pub name: Text,
}

impl Place {
    /// Returns the place of this name in this namespace.
    pub fn new(namespace: impl Into<Text>, name: impl Into<Text>) -> Self {
        Self {
            namespace: namespace.into(),
            name: name.into(),
        }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.namespace, self.name)
    }
}

/// What a credential opens.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Opens {
    /// The API server, as this identity.
    Identity(Identity),
    /// A datastore.
    Database(Place),
    /// Something the snapshot does not name: a credential written into a container's own spec.
    Unknown {
        /// The pod.
        pod: Place,
        /// The container, and the variable or option that holds it: `web/--token`.
        at: Text,
    },
}

impl Opens {
    /// Returns what a credential opens that stands in this variable or option of a container, if nothing tells.
    pub(super) fn unknown(pod: &Place, container: &Text, name: &Text) -> Self {
        Self::Unknown {
            pod: pod.clone(),
            at: format_args!("{container}/{name}").into(),
        }
    }
}

/// The labels of positions, as queries and reports spell them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[expect(missing_docs, reason = "one for each kind of `Position`, described there")]
pub enum Label {
    Internet,
    Pod,
    Container,
    Node,
    Identity,
    Credential,
    Grant,
    Network,
    Port,
    Secret,
    ConfigMap,
    Volume,
    Database,
    CloudIdentity,
    Namespace,
    ClusterAdmin,
}

impl Label {
    /// The label's spelling.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Internet => "Internet",
            Self::Pod => "Pod",
            Self::Container => "Container",
            Self::Node => "Node",
            Self::Identity => "Identity",
            Self::Credential => "Credential",
            Self::Grant => "Grant",
            Self::Network => "Network",
            Self::Port => "Port",
            Self::Secret => "Secret",
            Self::ConfigMap => "ConfigMap",
            Self::Volume => "Volume",
            Self::Database => "Database",
            Self::CloudIdentity => "CloudIdentity",
            Self::Namespace => "Namespace",
            Self::ClusterAdmin => "ClusterAdmin",
        }
    }
}

impl fmt::Display for Label {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Position {
    /// The label of this position.
    pub fn label(&self) -> Label {
        match self {
            Self::Internet => Label::Internet,
            Self::Pod(_) => Label::Pod,
            Self::Container(..) => Label::Container,
            Self::Node(_) => Label::Node,
            Self::Identity(_) => Label::Identity,
            Self::Credential(_) => Label::Credential,
            Self::Grant(..) => Label::Grant,
            Self::Network(_) => Label::Network,
            Self::Port(..) | Self::ApiServer => Label::Port,
            Self::Secret(_) | Self::SecretKey(..) => Label::Secret,
            Self::ConfigMap(_) | Self::ConfigMapKey(..) => Label::ConfigMap,
            Self::Volume(_) => Label::Volume,
            Self::Database(_) => Label::Database,
            Self::CloudIdentity(_) => Label::CloudIdentity,
            Self::Namespace(_) => Label::Namespace,
            Self::ClusterAdmin => Label::ClusterAdmin,
        }
    }

    /// The namespace the position lies in, if it lies in one.
    pub fn namespace(&self) -> Option<&Text> {
        match self {
            Self::Pod(place)
            | Self::Container(place, _)
            | Self::Port(place, ..)
            | Self::Secret(place)
            | Self::SecretKey(place, _)
            | Self::ConfigMap(place)
            | Self::ConfigMapKey(place, _)
            | Self::Volume(place)
            | Self::Database(place) => Some(&place.namespace),
            Self::Identity(Identity::ServiceAccount { namespace, .. }) => Some(namespace),
            Self::Namespace(name) => Some(name),
            _ => None,
        }
    }
}

/// By where texts lie and not by what they say: graphs of millions of positions are looked up by it.
impl Hash for Position {
    fn hash<H: Hasher>(&self, state: &mut H) {
        std::mem::discriminant(self).hash(state);
        let place = |place: &Place| (place.namespace.address(), place.name.address());
        match self {
            Self::Internet | Self::ApiServer | Self::ClusterAdmin => {}
            Self::Pod(one)
            | Self::Secret(one)
            | Self::ConfigMap(one)
            | Self::Volume(one)
            | Self::Database(one) => {
                place(one).hash(state);
            }
            Self::Container(one, name) | Self::SecretKey(one, name) | Self::ConfigMapKey(one, name) => {
                (place(one), name.address()).hash(state);
            }
            Self::Port(one, port, protocol) => (place(one), port, protocol).hash(state),
            Self::Node(name) | Self::Network(name) | Self::CloudIdentity(name) | Self::Namespace(name) => {
                name.address().hash(state);
            }
            Self::Identity(identity) | Self::Credential(Opens::Identity(identity)) => match identity {
                Identity::ServiceAccount { namespace, name } => {
                    (namespace.address(), name.address()).hash(state);
                }
                Identity::User(name) | Identity::Group(name) => name.address().hash(state),
            },
            Self::Credential(Opens::Database(one)) => place(one).hash(state),
            Self::Credential(Opens::Unknown { pod, at }) => (place(pod), at.address()).hash(state),
            Self::Grant(power, scope) => (power.id, scope).hash(state),
        }
    }
}

/// The id: `Pod/shop/web-0`, `ServiceAccount/shop/web`, `Credential/Database/shop/mysql`, `ClusterAdmin`.
impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Internet => f.write_str("Internet"),
            Self::Pod(pod) => write!(f, "Pod/{pod}"),
            Self::Container(pod, name) => write!(f, "Container/{pod}/{name}"),
            Self::Node(name) => write!(f, "Node/{name}"),
            Self::Identity(identity) => write!(f, "{identity}"),
            Self::Credential(Opens::Identity(identity)) => write!(f, "Credential/{identity}"),
            Self::Credential(Opens::Database(place)) => write!(f, "Credential/Database/{place}"),
            Self::Credential(Opens::Unknown { pod, at }) => write!(f, "Credential/Unknown/{pod}/{at}"),
            Self::Grant(power, Scope::Cluster) => write!(f, "Grant/{}", power.id),
            Self::Grant(power, scope) => write!(f, "Grant/{}/{scope}", power.id),
            Self::Network(name) => write!(f, "Network/{name}"),
            Self::Port(pod, port, protocol) => write!(f, "Port/{pod}/{port}/{protocol}"),
            Self::ApiServer => f.write_str("Port/kube-apiserver"),
            Self::Secret(place) => write!(f, "Secret/{place}"),
            Self::SecretKey(place, key) => write!(f, "Secret/{place}/{key}"),
            Self::ConfigMap(place) => write!(f, "ConfigMap/{place}"),
            Self::ConfigMapKey(place, key) => write!(f, "ConfigMap/{place}/{key}"),
            Self::Volume(place) => write!(f, "Volume/{place}"),
            Self::Database(place) => write!(f, "Database/{place}"),
            Self::CloudIdentity(name) => write!(f, "CloudIdentity/{name}"),
            Self::Namespace(name) => write!(f, "Namespace/{name}"),
            Self::ClusterAdmin => f.write_str("ClusterAdmin"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn positions_are_small_and_free_to_drop() {
        // A cluster of 150,000 pods has millions of them.
        assert_eq!(size_of::<Position>(), 40);
        assert!(!std::mem::needs_drop::<Position>());
    }
}
