//! Selectors as conditions on pods: Calico's own labels, those of namespaces and those of service accounts.
//!
//! **Trap.** Calico gives every endpoint labels that no pod carries: its namespace and account, the labels of
//! both behind the prefixes `pcns.` and `pcsa.`. A pod cannot set them itself.
//! Source: <https://docs.tigera.io/calico/latest/network-policy/get-started/calico-policy/calico-labels>

use std::cell::RefCell;
use std::collections::BTreeSet;

use rustc_hash::FxHashMap;

use super::selector::{Functions, Selector};
use crate::model::{Cluster, Labels, NAMESPACE_NAME, Text};
use crate::network::attributes::{self, ACCOUNT_LABEL, NAMESPACE, NAMESPACE_LABEL, SERVICE_ACCOUNT};
use crate::network::controllers::{CONTROLLERS, Controller};
use crate::network::selector::Expression;

/// Labels that Calico gives endpoints.
const ENDPOINT_NAMESPACE: &str = "projectcalico.org/namespace";
const ENDPOINT_ACCOUNT: &str = "projectcalico.org/serviceaccount";
const ORCHESTRATOR: &str = "projectcalico.org/orchestrator";
/// The value of the last one.
const KUBERNETES: &str = "k8s";
/// The label that Calico gives namespaces and service accounts.
const NAME: &str = "projectcalico.org/name";
/// What Calico puts before labels of namespaces and of service accounts.
const OF_NAMESPACE: &str = "pcns.";
const OF_ACCOUNT: &str = "pcsa.";

/// What a selector is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum About {
    Endpoints,
    Namespaces,
    Accounts,
}

/// A key of a selector.
enum Key {
    /// A label, or an attribute of pods.
    Label(Text),
    /// A label with the same value for all.
    Constant(&'static str),
}

/// Turns selectors to conditions.
#[derive(Debug)]
pub(super) struct Conditions<'a> {
    cluster: &'a Cluster,
    /// The values of keys that are compared by parts, found once.
    values: RefCell<FxHashMap<(bool, Text), BTreeSet<Text>>>,
}

impl<'a> Conditions<'a> {
    pub(super) fn new(cluster: &'a Cluster) -> Self {
        Self {
            cluster,
            values: RefCell::default(),
        }
    }

    /// The condition on pods, or on namespaces, that a selector is.
    pub(super) fn of(&self, selector: &Selector, about: About) -> Expression {
        let functions = match about {
            About::Endpoints => Functions::OF_ENDPOINTS,
            About::Namespaces | About::Accounts => Functions::of_namespaces(true),
        };
        let constant = |holds: bool| {
            if holds {
                Expression::EVERYTHING
            } else {
                not(Expression::EVERYTHING)
            }
        };
        let leaf = |key: &Text, settled: &dyn Fn(&str) -> bool, open: &dyn Fn(Text) -> Expression| match about
            .key(key)
        {
            Key::Constant(value) => constant(settled(value)),
            Key::Label(key) => open(key),
        };
        match selector {
            Selector::All => constant(functions.all),
            Selector::Global => constant(functions.global),
            Selector::Has(key) => leaf(key, &|_| true, &Expression::Has),
            Selector::In(key, values) => {
                leaf(key, &|value| values.iter().any(|known| *known == value), &|key| {
                    Expression::In(key, values.clone())
                })
            }
            Selector::Like(key, likeness, part) => leaf(key, &|value| likeness.holds(value, part), &|key| {
                let values = self.values(&key, about);
                let meant = values.into_iter().filter(|value| likeness.holds(value, part));
                Expression::In(key, meant.collect())
            }),
            Selector::Not(inner) => not(self.of(inner, about)),
            Selector::And(parts) => Expression::All(parts.iter().map(|part| self.of(part, about)).collect()),
            Selector::Or(parts) => {
                let none = parts.iter().map(|part| not(self.of(part, about)));
                not(Expression::All(none.collect()))
            }
        }
    }

    /// Every value of a key in the input.
    fn values(&self, key: &Text, about: About) -> BTreeSet<Text> {
        let of_namespaces = about == About::Namespaces;
        let mut known = self.values.borrow_mut();
        let values = known.entry((of_namespaces, key.clone())).or_insert_with(|| {
            if of_namespaces {
                self.of_namespaces(key)
            } else {
                self.of_pods(key)
            }
        });
        values.clone()
    }

    fn of_namespaces(&self, key: &Text) -> BTreeSet<Text> {
        let labels = self
            .cluster
            .namespaces
            .values()
            .map(|namespace| &namespace.meta.labels);
        let mut values: BTreeSet<Text> = labels.filter_map(|labels| labels.get(key)).cloned().collect();
        if key == NAMESPACE_NAME {
            values.extend(self.cluster.namespace_names());
        }
        let controllers = CONTROLLERS.iter().map(Controller::labels);
        values.extend(controllers.filter_map(|(_, namespace, _)| namespace.get(key).cloned()));
        values
    }

    fn of_pods(&self, key: &Text) -> BTreeSet<Text> {
        let pods = self.cluster.pods.values();
        if attributes::is_attribute(key) {
            return pods
                .filter_map(|pod| attributes::of(self.cluster, pod, key))
                .collect();
        }
        let mut values: BTreeSet<Text> = pods.filter_map(|pod| pod.meta.labels.get(key)).cloned().collect();
        let controllers = CONTROLLERS.iter().map(Controller::labels);
        values.extend(controllers.filter_map(|(_, _, pods)| pods.get(key).cloned()));
        values
    }

    /// Whether a selector of endpoints selects a set of networks, or the endpoint of a host.
    pub(super) fn selects_set(&self, selector: &Selector, labels: &Labels, namespace: Option<&Text>) -> bool {
        let label = |key: &str| {
            if key == ENDPOINT_NAMESPACE {
                return namespace.cloned();
            }
            match key.strip_prefix(OF_NAMESPACE) {
                Some(key) => self.namespace_label(namespace?, key),
                None => labels.get(key).cloned(),
            }
        };
        selector.holds(&label, Functions::OF_ENDPOINTS)
    }

    /// Whether a selector of namespaces selects where a set is.
    pub(super) fn selects_place(&self, selector: &Selector, namespace: Option<&Text>) -> bool {
        let label = |key: &str| self.namespace_label(namespace?, key);
        selector.holds(&label, Functions::of_namespaces(namespace.is_some()))
    }

    fn namespace_label(&self, namespace: &Text, key: &str) -> Option<Text> {
        if key == NAME || key == NAMESPACE_NAME {
            return Some(namespace.clone());
        }
        self.cluster.namespace(namespace)?.meta.labels.get(key).cloned()
    }
}

pub(super) fn not(expression: Expression) -> Expression {
    Expression::Not(Box::new(expression))
}

impl About {
    fn key(self, key: &Text) -> Key {
        let of_account = |key: &str| {
            if key == NAME {
                Text::new(SERVICE_ACCOUNT)
            } else {
                format!("{ACCOUNT_LABEL}{key}").into()
            }
        };
        let label = match self {
            Self::Accounts => of_account(key),
            Self::Namespaces if key == NAME => Text::new(NAMESPACE_NAME),
            Self::Namespaces => key.clone(),
            Self::Endpoints => match key.as_str() {
                ORCHESTRATOR => return Key::Constant(KUBERNETES),
                ENDPOINT_NAMESPACE => Text::new(NAMESPACE),
                ENDPOINT_ACCOUNT => Text::new(SERVICE_ACCOUNT),
                other => match (other.strip_prefix(OF_NAMESPACE), other.strip_prefix(OF_ACCOUNT)) {
                    (Some(NAME | NAMESPACE_NAME), _) => Text::new(NAMESPACE),
                    (Some(label), _) => format!("{NAMESPACE_LABEL}{label}").into(),
                    (_, Some(label)) => of_account(label),
                    (None, None) => key.clone(),
                },
            },
        };
        Key::Label(label)
    }
}
