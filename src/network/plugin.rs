//! Which network plugin runs, and so whether policies are enforced at all.
//!
//! **Trap.** The API server takes policies whether or not anything enforces them: flannel alone ignores all of
//! them, and Amazon's plugin does unless its agent is told to.
//! Source: <https://kubernetes.io/docs/concepts/services-networking/network-policies/#prerequisites>

use std::collections::BTreeSet;

use super::options::{Enforcement, IpBlockMatch, Options};
use super::{calico, cilium};
use crate::model::{Cluster, Code, Diagnostic, Pod, PodSpec, Source, Text};

/// A network plugin.
#[derive(Debug, PartialEq, Eq)]
pub struct Plugin {
    /// Its name.
    pub name: &'static str,
    /// The DaemonSets it runs as.
    daemon_sets: &'static [&'static str],
    /// Whether it enforces NetworkPolicies.
    pub enforces: Enforces,
    /// Whether it enforces the admin policies of the network policy API.
    pub enforces_admin: bool,
    /// Whether addresses in policies match pods and nodes.
    pub ipblock_matches_pods: bool,
}

/// Whether a plugin enforces NetworkPolicies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Enforces {
    /// It does.
    Yes,
    /// It does not.
    No,
    /// It does if a container of its DaemonSet has this argument.
    Argument(&'static str),
}

/// The plugins that are recognised. Those that enforce come first: they may run on top of others.
pub(super) static PLUGINS: &[Plugin] = &[
    plugin("Cilium", &["cilium", "anetd"], Enforces::Yes, false, false),
    plugin(
        "Calico",
        &["calico-node", "canal", "rke2-canal"],
        Enforces::Yes,
        true,
        true,
    ),
    plugin("Antrea", &["antrea-agent"], Enforces::Yes, true, true),
    plugin("OVN-Kubernetes", &["ovnkube-node"], Enforces::Yes, true, true),
    plugin("Kube-OVN", &["kube-ovn-cni"], Enforces::Yes, true, true),
    plugin(
        "kube-network-policies",
        &["kube-network-policies"],
        Enforces::Yes,
        true,
        true,
    ),
    plugin("Weave Net", &["weave-net"], Enforces::Yes, false, true),
    plugin("kube-router", &["kube-router"], Enforces::Yes, false, true),
    plugin(
        "Azure Network Policy Manager",
        &["azure-npm"],
        Enforces::Yes,
        false,
        true,
    ),
    plugin("kindnet", &["kindnet"], Enforces::Yes, false, true),
    plugin(
        "Amazon VPC CNI",
        &["aws-node"],
        Enforces::Argument("--enable-network-policy=true"),
        false,
        true,
    ),
    plugin(
        "flannel",
        &["kube-flannel-ds", "kube-flannel"],
        Enforces::No,
        false,
        true,
    ),
];

const fn plugin(
    name: &'static str,
    daemon_sets: &'static [&'static str],
    enforces: Enforces,
    enforces_admin: bool,
    ipblock_matches_pods: bool,
) -> Plugin {
    Plugin {
        name,
        daemon_sets,
        enforces,
        enforces_admin,
        ipblock_matches_pods,
    }
}

/// A plugin with policies of its own that are modelled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Engine {
    Cilium,
    Calico,
}

impl Engine {
    const ALL: [Self; 2] = [Self::Cilium, Self::Calico];

    /// The name of the plugin.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Cilium => "Cilium",
            Self::Calico => "Calico",
        }
    }

    fn of(plugin: &Plugin) -> Option<Self> {
        Self::ALL.into_iter().find(|engine| engine.name() == plugin.name)
    }

    /// How many policies of its own the input holds.
    pub(super) fn policies(self, cluster: &Cluster) -> usize {
        match self {
            Self::Cilium => cilium::count(cluster),
            Self::Calico => calico::count(cluster),
        }
    }

    /// The one whose policies the input holds, the most of them: whoever writes policies for a plugin runs it.
    fn in_use(cluster: &Cluster) -> Option<Self> {
        let counts = Self::ALL.map(|engine| (engine.policies(cluster), engine));
        let most = counts.into_iter().filter(|(count, _)| *count > 0);
        most.reduce(|best, next| if next.0 > best.0 { next } else { best })
            .map(|(_, engine)| engine)
    }
}

/// What enforces policies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Enforcer {
    /// The plugin that enforces, or the first that was found; none if the input shows none.
    pub(super) plugin: Option<&'static Plugin>,
    pub(super) policies: bool,
    pub(super) admin: bool,
    /// Whose own policies count besides.
    pub(super) engine: Option<Engine>,
    /// Whether policies of a mesh count; its proxies enforce them, whatever the plugin does.
    pub(super) mesh: bool,
    pub(super) ipblock: IpBlockMatch,
}

impl Enforcer {
    /// Finds the plugin; what the user says goes before what is found.
    pub(super) fn new(cluster: &Cluster, options: Options) -> Self {
        let running = running(cluster);
        let found = || {
            PLUGINS
                .iter()
                .filter(|plugin| plugin.daemon_sets.iter().any(|name| running.contains(*name)))
        };
        let enforcing = found().find(|plugin| enforces(plugin, cluster));
        let plugin = enforcing.or_else(|| found().next());
        let by_plugin = plugin.is_none_or(|plugin| Some(plugin) == enforcing);
        let engine = match (enforcing, options.enforcement) {
            (Some(plugin), _) => Engine::of(plugin),
            (None, Enforcement::Auto) if plugin.is_some() => None,
            (None, _) => Engine::in_use(cluster),
        };
        let switched_off =
            engine == Some(Engine::Cilium) && cilium::setting(cluster, "enable-policy") == Some("never");
        let policies = match options.enforcement {
            Enforcement::Auto => by_plugin && !switched_off,
            Enforcement::Enforced => true,
            Enforcement::Ignored => false,
        };
        let admin = match options.enforcement {
            Enforcement::Auto => policies && enforcing.is_none_or(|plugin| plugin.enforces_admin),
            Enforcement::Enforced | Enforcement::Ignored => policies,
        };
        let ipblock = match (options.ipblock_matches_pods, enforcing) {
            (IpBlockMatch::Auto, Some(plugin)) if plugin.ipblock_matches_pods => IpBlockMatch::Always,
            (IpBlockMatch::Auto, Some(_)) => IpBlockMatch::Never,
            (IpBlockMatch::Auto, None) if engine == Some(Engine::Cilium) => IpBlockMatch::Never,
            (IpBlockMatch::Auto, None) if engine == Some(Engine::Calico) => IpBlockMatch::Always,
            (given, _) => given,
        };
        Self {
            plugin,
            policies,
            admin,
            engine: engine.filter(|_| policies),
            mesh: options.enforcement != Enforcement::Ignored,
            ipblock,
        }
    }

    /// Says what is not enforced although the input holds it.
    pub(super) fn report(&self, cluster: &Cluster, found: &mut Vec<Diagnostic>) {
        let name = match (self.plugin, self.engine) {
            (Some(plugin), _) => plugin.name,
            (None, Some(engine)) => engine.name(),
            (None, None) => "the user's word",
        };
        let mut say = |count: usize, kind: &str| {
            let message = format!(
                "the {count} {kind} in the input are taken to have no effect: {name} does not enforce them"
            );
            let hint = "give --policies enforced if something else does";
            found.push(Diagnostic::new(
                Code::NotEnforced,
                Source::default(),
                message,
                hint,
            ));
        };
        if !self.policies && !cluster.network_policies.is_empty() {
            say(cluster.network_policies.len(), "NetworkPolicies");
        }
        for engine in Engine::ALL {
            let count = engine.policies(cluster);
            if self.engine != Some(engine) && count > 0 {
                say(count, &format!("policies of {}", engine.name()));
            }
        }
        if !self.admin && !cluster.admin_policies.is_empty() {
            say(cluster.admin_policies.len(), "admin policies");
        }
    }
}

/// The names of the DaemonSets of the input, and of those that own pods of it.
fn running(cluster: &Cluster) -> BTreeSet<Text> {
    let sets = cluster.workloads.iter().filter(|(id, _)| id.kind == "DaemonSet");
    let mut names: BTreeSet<Text> = sets.map(|(id, _)| id.name.clone()).collect();
    let owners = cluster
        .pods
        .values()
        .filter_map(|pod: &Pod| pod.meta.controller());
    for owner in owners.filter(|owner| owner.kind == "DaemonSet") {
        if !names.contains(&owner.name) {
            names.insert(owner.name.clone());
        }
    }
    names
}

fn enforces(plugin: &Plugin, cluster: &Cluster) -> bool {
    match plugin.enforces {
        Enforces::Yes => true,
        Enforces::No => false,
        Enforces::Argument(argument) => {
            let is_meant = |name: &Text| plugin.daemon_sets.iter().any(|known| *name == *known);
            let has = |spec: &PodSpec| {
                spec.containers
                    .iter()
                    .flat_map(|container| container.args.words())
                    .any(|word| word.text == argument)
            };
            let sets = cluster
                .workloads
                .iter()
                .filter(|(id, _)| id.kind == "DaemonSet" && is_meant(&id.name));
            let pods = cluster.pods.values().filter(|pod| {
                pod.meta
                    .controller()
                    .is_some_and(|owner| owner.kind == "DaemonSet" && is_meant(&owner.name))
            });
            sets.map(|(_, set)| &set.template().spec)
                .chain(pods.map(|pod| &pod.spec))
                .any(has)
        }
    }
}
