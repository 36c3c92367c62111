//! The procedures of the attack graph: paths and reach from the solver, rights and connections from the cluster.
//!
//! **Trap.** A path in a result is one way through a derivation; `steps` has every relationship of it, and `cost` counts
//! each step once.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use super::super::column::Column;
use super::super::data::Graph as _;
use super::super::procedure::{Procedure, Type};
use super::super::suggest::did_you_mean;
use super::super::value::{NodeId, Value};
use super::AttackView;
use crate::model::{Cluster, Protocol};
use crate::network::Verdict;
use crate::paths::{Derivation, Solver, Stop};
use crate::rbac::{Request, ResourceRequest, Resources, Scope};
use crate::techniques::{Facts, Position};

/// The most paths that are asked for at once.
const MOST_PATHS: i64 = 1_000;
/// What `path.cheapest` takes.
const OPTIONS: &[&str] = &[
    "maxCost",
    "maxLen",
    "pathCount",
    "relTypes",
    "sourceNode",
    "targetNode",
];

type Emit<'e> = &'e mut dyn FnMut(&[Value]) -> bool;

/// All of them.
pub(super) static PROCEDURES: LazyLock<Vec<Procedure>> = LazyLock::new(|| {
    let null = || Some(Value::Null);
    let internet = || Some(Value::text("Internet"));
    let path = [
        ("path", Type::Path),
        ("cost", Type::Integer),
        ("conditions", Type::Integer),
        ("steps", Type::List),
        ("proven", Type::Boolean),
    ];
    let targets: Vec<(&str, Type)> = std::iter::once(("target", Type::Node)).chain(path).collect();
    vec![
        Procedure::new(
            "path.cheapest",
            "The cheapest ways from sourceNode to targetNode, nodes or ids; pathCount, relTypes, maxCost and maxLen may be given too",
            &[("options", Type::Map, None)],
            &path,
        ),
        Procedure::new(
            "path.reach",
            "Everything that can be held from a node, an id or a list of them, each with the effort of a way to it and the least that any way takes",
            &[("from", Type::Any, internet())],
            &[
                ("node", Type::Node),
                ("cost", Type::Integer),
                ("least", Type::Integer),
            ],
        ),
        Procedure::new(
            "attack.paths",
            "The cheapest ways to what an attacker wants: to a node, an id or a list of them, else to databases and cluster-admin",
            &[
                ("to", Type::Any, null()),
                ("from", Type::Any, internet()),
                ("count", Type::Integer, Some(Value::Int(1))),
            ],
            &targets,
        ),
        Procedure::new(
            "rbac.whoCan",
            "Everyone who may do something, where and why; without a namespace, in any",
            &[
                ("verb", Type::String, None),
                ("resource", Type::String, None),
                ("namespace", Type::String, null()),
                ("name", Type::String, null()),
            ],
            &[
                ("identity", Type::Node),
                ("subject", Type::String),
                ("namespace", Type::String),
                ("object", Type::String),
                ("reasons", Type::List),
            ],
        ),
        Procedure::new(
            "network.reach",
            "Whether one reaches the other over the network, and on which ports; either is Internet, an address, or the id of a pod, workload, namespace, node or Service",
            &[
                ("from", Type::Any, None),
                ("to", Type::Any, None),
                ("port", Type::Integer, null()),
                ("protocol", Type::String, Some(Value::text("TCP"))),
            ],
            &[
                ("source", Type::String),
                ("target", Type::String),
                ("verdict", Type::String),
                ("ports", Type::String),
                ("perhaps", Type::String),
                ("note", Type::String),
            ],
        ),
    ]
});

fn int(number: u32) -> Value {
    Value::Int(i64::from(number))
}

impl AttackView<'_> {
    /// Gives the rows of a procedure.
    pub(super) fn answer(
        &self,
        procedure: &str,
        arguments: &[Value],
        stop: Stop<'_>,
        emit: Emit<'_>,
    ) -> Result<(), String> {
        match (procedure, arguments) {
            ("path.cheapest", [options]) => self.cheapest_paths(options, stop, emit),
            ("path.reach", [from]) => self.reached(from, stop, emit),
            ("attack.paths", [to, from, count]) => self.attacks([to, from], count, stop, emit),
            ("rbac.whoCan", [verb, resource, namespace, name]) => {
                let (cluster, facts) = self.asked("rbac.whoCan")?;
                let words = [verb, resource, namespace, name].map(|word| match word {
                    Value::Text(text) => Some(&**text),
                    _ => None,
                });
                self.who_can(cluster, facts, words, emit)
            }
            ("network.reach", [from, to, port, protocol]) => {
                let (cluster, facts) = self.asked("network.reach")?;
                connections(
                    cluster,
                    facts,
                    [&self.id(from)?, &self.id(to)?],
                    (port, protocol),
                    emit,
                )
            }
            _ => Ok(()),
        }
    }

    fn asked(&self, procedure: &str) -> Result<(&Cluster, &Facts), String> {
        self.cluster
            .ok_or_else(|| format!("{procedure} asks the cluster, and here is only its attack graph"))
    }

    /// The id that a value is or has.
    fn id(&self, value: &Value) -> Result<String, String> {
        match value {
            Value::Text(id) => Ok(id.to_string()),
            Value::Node(node) => Ok(self.positions[*node as usize].to_string()),
            other => Err(format!("a node or an id is needed, not {}", other.kind())),
        }
    }

    /// The nodes that a value names: a node, an id, or a list of them; sorted.
    fn nodes_of(&self, value: &Value) -> Result<Vec<NodeId>, String> {
        let mut found: Vec<NodeId> = match value {
            Value::Node(node) => vec![*node],
            Value::Text(id) => {
                let known = self.column("id");
                let found = known.and_then(|ids| ids.nodes(value).first());
                let near = || {
                    let ids = known.into_iter().flat_map(Column::values);
                    let texts = ids.filter_map(|id| match id {
                        Value::Text(id) => Some(&**id),
                        _ => None,
                    });
                    did_you_mean(id, texts)
                };
                vec![*found.ok_or_else(|| format!("no position is called {id}{}", near()))?]
            }
            Value::List(items) => {
                let each: Result<Vec<_>, String> = items.iter().map(|item| self.nodes_of(item)).collect();
                each?.concat()
            }
            other => return Err(format!("a node or an id is needed, not {}", other.kind())),
        };
        found.sort_unstable();
        found.dedup();
        Ok(found)
    }

    /// What is told of a derivation.
    fn told(&self, derivation: &Derivation) -> [Value; 5] {
        let steps = self.links_of(derivation).into_iter().map(Value::Link);
        [
            Value::Path(self.chain(derivation).into()),
            int(derivation.cost.effort()),
            int(derivation.cost.conditions()),
            Value::list(steps.collect()),
            Value::Bool(derivation.proven),
        ]
    }

    fn cheapest_paths(&self, options: &Value, stop: Stop<'_>, emit: Emit<'_>) -> Result<(), String> {
        let Value::Map(options) = options else {
            return Err("path.cheapest takes a map: {sourceNode: …, targetNode: …}".to_owned());
        };
        if let Some(stray) = options.keys().find(|key| !OPTIONS.contains(&&***key)) {
            let near = did_you_mean(stray, OPTIONS.iter().copied());
            return Err(format!("path.cheapest has no option `{stray}`{near}"));
        }
        let given = |key: &str| options.get(key).filter(|value| !value.is_null());
        let needed = |key: &str| given(key).ok_or_else(|| format!("path.cheapest needs {key}"));
        let starts = self.nodes_of(needed("sourceNode")?)?;
        let targets = self.nodes_of(needed("targetNode")?)?;
        let most = |key: &str| match given(key) {
            None => Ok(i64::MAX),
            Some(Value::Int(number)) if *number >= 0 => Ok(*number),
            Some(_) => Err(format!("{key} is a whole number that is not negative")),
        };
        let (cost, length) = (most("maxCost")?, most("maxLen")?);
        let count = count(given("pathCount").unwrap_or(&Value::Int(1)))?;
        let types = match given("relTypes") {
            None => None,
            Some(Value::List(items)) => Some(
                items
                    .iter()
                    .map(|item| self.id(item))
                    .collect::<Result<BTreeSet<_>, _>>()?,
            ),
            Some(_) => return Err("relTypes is a list of relationship types".to_owned()),
        };
        let mut tell = |solver: &Solver<'_>| {
            let found = |target: &NodeId| solver.cheapest_unless(*target, count, stop);
            for derivation in targets.iter().flat_map(found) {
                if stop() {
                    return;
                }
                let told = self.told(&derivation);
                let is_long =
                    matches!(&told[0], Value::Path(path) if path.links.len() as u64 > length.unsigned_abs());
                let is_dear = i64::from(derivation.cost.effort()) > cost;
                if !is_long && !is_dear && !emit(&told) {
                    return;
                }
            }
        };
        match types {
            None => self.solver(&starts, stop).iter().for_each(|solver| tell(solver)),
            Some(types) => {
                let gone = |step| !types.contains(self.graph.step(step).reason.label());
                let rows = self.rows.without(gone);
                Solver::unless(self.graph, &rows, &starts, stop)
                    .iter()
                    .for_each(tell);
            }
        }
        Ok(())
    }

    fn reached(&self, from: &Value, stop: Stop<'_>, emit: Emit<'_>) -> Result<(), String> {
        let Some(solver) = self.solver(&self.nodes_of(from)?, stop) else {
            return Ok(());
        };
        for node in 0..self.nodes() {
            let Some(derivation) = solver.reach().derivation(self.rows, node) else {
                continue;
            };
            let row = [
                Value::Node(node),
                int(derivation.cost.effort()),
                int(solver.least(node).effort()),
            ];
            if !emit(&row) {
                break;
            }
        }
        Ok(())
    }

    fn attacks(
        &self,
        [to, from]: [&Value; 2],
        many: &Value,
        stop: Stop<'_>,
        emit: Emit<'_>,
    ) -> Result<(), String> {
        let count = count(many)?;
        let targets = match to {
            Value::Null => (0..)
                .zip(&self.positions)
                .filter(|(_, position)| matches!(position, Position::Database(_) | Position::ClusterAdmin))
                .map(|(node, _)| node)
                .collect(),
            to => self.nodes_of(to)?,
        };
        let Some(solver) = self.solver(&self.nodes_of(from)?, stop) else {
            return Ok(());
        };
        for target in targets {
            for derivation in solver.cheapest_unless(target, count, stop) {
                if stop() {
                    return Ok(());
                }
                let mut row = vec![Value::Node(target)];
                row.extend(self.told(&derivation));
                if !emit(&row) {
                    return Ok(());
                }
            }
        }
        Ok(())
    }

    fn who_can(
        &self,
        cluster: &Cluster,
        facts: &Facts,
        [verb, resource, namespace, name]: [Option<&str>; 4],
        emit: Emit<'_>,
    ) -> Result<(), String> {
        let (Some(verb), Some(word)) = (verb, resource) else {
            return Err("rbac.whoCan needs a verb and a resource: rbac.whoCan('get', 'secrets')".to_owned());
        };
        let resource = Resources::new(cluster).resolve(if word.starts_with('/') { "" } else { word });
        let name = name.unwrap_or_default();
        // A Namespace object lives in none, but the RoleBindings of the namespace that it names count.
        let namespace = match resource.namespaced {
            Some(false) if resource.group.is_empty() && resource.resource == "namespaces" => name,
            Some(false) => "",
            _ => namespace.unwrap_or_default(),
        };
        let request = if word.starts_with('/') {
            Request::Url { verb, path: word }
        } else {
            Request::Resource(ResourceRequest {
                verb,
                group: &resource.group,
                resource: &resource.resource,
                subresource: &resource.subresource,
                namespace,
                name,
            })
        };
        let is_asked = !namespace.is_empty() || resource.namespaced == Some(false) || word.starts_with('/');
        let reach = if is_asked {
            crate::rbac::Reach::Asked
        } else {
            crate::rbac::Reach::Anywhere
        };
        for holder in facts.access.who_can(&request, reach) {
            let node = self.graph.vertex(&Position::Identity(holder.identity.clone()));
            let optional = |text: Option<String>| text.map_or(Value::Null, Value::text);
            let named = match &holder.scope {
                Scope::Name { name, .. } => Some(name.to_string()),
                _ => None,
            };
            let namespace = holder.scope.namespace();
            let reasons = holder
                .reasons
                .iter()
                .map(|reason| Value::text(reason.to_string()));
            let row = [
                node.map_or(Value::Null, Value::Node),
                Value::text(holder.identity.to_string()),
                optional((!namespace.is_empty()).then(|| namespace.to_owned())),
                optional(named),
                Value::list(reasons.collect()),
            ];
            if !emit(&row) {
                break;
            }
        }
        Ok(())
    }
}

/// How many paths are asked for.
fn count(value: &Value) -> Result<usize, String> {
    match value {
        Value::Int(count) if (1..=MOST_PATHS).contains(count) => Ok(usize::try_from(*count).unwrap_or(1)),
        _ => Err(format!("the number of paths lies between 1 and {MOST_PATHS}")),
    }
}

fn connections(
    cluster: &Cluster,
    facts: &Facts,
    [from, to]: [&str; 2],
    (port, protocol): (&Value, &Value),
    emit: Emit<'_>,
) -> Result<(), String> {
    let network = &facts.network;
    let port = match (port, protocol) {
        (Value::Null, _) => None,
        (Value::Int(number), Value::Text(word)) => {
            let known = Protocol::ALL
                .into_iter()
                .find(|known| known.as_str().eq_ignore_ascii_case(word));
            let number = u16::try_from(*number).ok().filter(|number| *number > 0);
            let message =
                || "a port lies between 1 and 65535, and its protocol is TCP, UDP or SCTP".to_owned();
            Some(known.zip(number).ok_or_else(message)?)
        }
        _ => return Err("a port needs a protocol: TCP, UDP or SCTP".to_owned()),
    };
    let places = |name: &str| {
        let found = network.places(cluster, name);
        if found.is_empty() {
            return Err(format!("nothing that sends or receives is called {name}"));
        }
        Ok(found)
    };
    for answer in network.answers(cluster, &places(from)?, &places(to)?, port) {
        let verdict = match answer.verdict {
            Verdict::Allowed => "allowed",
            Verdict::Unknown => "unknown",
            Verdict::Denied => "denied",
        };
        let row = [
            Value::text(answer.source),
            Value::text(answer.target),
            Value::text(verdict),
            Value::text(answer.ports.to_string()),
            Value::text(answer.perhaps.to_string()),
            answer.note.map_or(Value::Null, Value::text),
        ];
        if !emit(&row) {
            break;
        }
    }
    Ok(())
}
