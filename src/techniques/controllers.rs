//! Controllers that do for whoever writes their custom resources what those could not do themselves: one line each.
//!
//! A controller is recognised by what its pods run, and by labels where an image says too little; whose rights it
//! has is then read from those pods. Images keep the end of their name when a registry mirrors them, so that the
//! end is what counts.
//!
//! **Trap.** One image often carries several programs with accounts of their own: the line then names the program.

use std::collections::BTreeMap;

use rustc_hash::FxHashMap;

use super::pods::pods;
use super::{Context, Evidence};
use crate::model::{Container, Labels, ObjectId, Pod, Text};
use crate::rbac::{Identity, Power, power};

/// A sort of controller, and what its custom resources give to those who write them.
#[derive(Debug)]
pub(super) struct Controller {
    /// Ends of the names of its images, without tag.
    images: &'static [&'static str],
    /// The program, where the image has several; empty for any.
    program: &'static str,
    /// Labels of its pods that suffice without the image; none if labels say nothing.
    labels: &'static [(&'static str, &'static str)],
    /// The powers over its custom resources.
    pub(super) powers: &'static [&'static Power],
    /// In which namespaces it heeds custom resources.
    pub(super) heeds: Heeds,
    /// What it does for them.
    pub(super) gives: Gives,
    /// What that depends on, in words; empty for nothing that the input does not show.
    pub(super) condition: &'static str,
}

/// In which namespaces a controller heeds custom resources.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Heeds {
    /// In all of them.
    All,
    /// In its own one, unless this option or this key of a ConfigMap there names more.
    Own { option: &'static str, key: &'static str },
}

/// What a controller does for those who write its custom resources.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Gives {
    /// It makes and changes any object that its own account may make and change; with this option, if it is not
    /// empty, it does so as an account of the custom resource's namespace.
    Account { unless: &'static str },
    /// It makes pods in the namespace that the custom resource describes; perhaps such as control their node.
    Pods { privileged: bool },
    /// It changes every later pod of the namespace.
    PodChanges,
    /// It sends tokens and Secrets of the namespace to a server that the custom resource names.
    Credentials,
    /// It sends tokens and Secrets of its own namespace to a server that the custom resource names.
    OwnCredentials,
    /// It sends its own token to a server that the custom resource names.
    OwnToken,
    /// It sends its own token, if this key of a ConfigMap in its namespace is `true`.
    OwnTokenIf(&'static str),
    /// It starts and replaces the nodes that have this label.
    Nodes(&'static str),
}

/// A controller that runs in the cluster.
#[derive(Clone, Debug)]
pub(super) struct Running {
    pub(super) kind: &'static Controller,
    /// Where it runs.
    pub(super) namespace: Text,
    /// Its account.
    pub(super) account: Identity,
    /// The words it is started with.
    pub(super) words: Vec<Text>,
    /// What shows that it runs.
    pub(super) evidence: Vec<Evidence>,
}

const fn line(
    images: &'static [&'static str],
    powers: &'static [&'static Power],
    gives: Gives,
    condition: &'static str,
) -> Controller {
    Controller {
        images,
        program: "",
        labels: &[],
        powers,
        heeds: Heeds::All,
        gives,
        condition,
    }
}

const fn runs(
    images: &'static [&'static str],
    powers: &'static [&'static Power],
    privileged: bool,
) -> Controller {
    line(images, powers, Gives::Pods { privileged }, "")
}

impl Controller {
    const fn program(self, program: &'static str) -> Self {
        Self { program, ..self }
    }

    const fn labels(self, labels: &'static [(&'static str, &'static str)]) -> Self {
        Self { labels, ..self }
    }

    const fn heeds(self, heeds: Heeds) -> Self {
        Self { heeds, ..self }
    }
}

const ACCOUNT: Gives = Gives::Account { unless: "" };
const TENANT: Gives = Gives::Account {
    unless: "--default-service-account",
};
const NAME: &str = "app.kubernetes.io/name";

/// The controllers.
static CONTROLLERS: &[Controller] = &[
    // <https://argo-cd.readthedocs.io/en/stable/operator-manual/app-any-namespace/>
    line(
        &["argocd"],
        &[&power::WRITE_ARGO_APPLICATIONS],
        ACCOUNT,
        "the AppProject of the application lets it deploy there",
    )
    .program("argocd-application-controller")
    .heeds(Heeds::Own {
        option: "--application-namespaces",
        key: "application.namespaces",
    }),
    // <https://fluxcd.io/flux/installation/configuration/multitenancy/>
    line(
        &["kustomize-controller"],
        &[&power::WRITE_FLUX_KUSTOMIZATIONS],
        TENANT,
        "Flux finds a source to deploy from",
    ),
    line(
        &["helm-controller"],
        &[&power::WRITE_FLUX_HELM_RELEASES],
        TENANT,
        "Flux finds a chart to deploy",
    ),
    line(
        &["kustomize-controller", "helm-controller"],
        &[&power::WRITE_FLUX_SOURCES],
        TENANT,
        "Flux deploys from that source",
    ),
    line(
        &["fleet-agent"],
        &[&power::WRITE_FLEET],
        ACCOUNT,
        "Fleet deploys to its own cluster",
    ),
    line(
        &["klipper-helm"],
        &[&power::WRITE_HELM_CHARTS],
        ACCOUNT,
        "the account of another chart has the same rights",
    ),
    line(
        &["velero"],
        &[&power::WRITE_RESTORES],
        ACCOUNT,
        "the content of a backup is of one's choice",
    ),
    // <https://olm.operatorframework.io/docs/advanced-tasks/operator-scoping-with-operatorgroups/>
    line(
        &["operator-framework/olm"],
        &[&power::WRITE_SUBSCRIPTIONS],
        ACCOUNT,
        "an OperatorGroup of the namespace lets the operator be installed",
    )
    .program("olm")
    .labels(&[("app", "olm-operator")]),
    line(
        &["provider-kubernetes"],
        &[&power::WRITE_CROSSPLANE_OBJECTS],
        ACCOUNT,
        "a ProviderConfig uses the provider's own account",
    ),
    line(
        &["provider-helm"],
        &[&power::WRITE_CROSSPLANE_RELEASES],
        ACCOUNT,
        "a ProviderConfig uses the provider's own account",
    ),
    // <https://kyverno.io/docs/policy-types/cluster-policy/generate/>
    line(
        &["background-controller"],
        &[&power::WRITE_KYVERNO_CLUSTER_POLICIES],
        ACCOUNT,
        "Kyverno lets a policy make such objects",
    ),
    line(
        &["kyverno/kyverno"],
        &[
            &power::WRITE_KYVERNO_CLUSTER_POLICIES,
            &power::WRITE_KYVERNO_POLICIES,
        ],
        Gives::PodChanges,
        "a pod is made while the policy is in place",
    ),
    // <https://open-policy-agent.github.io/gatekeeper/website/docs/mutation/>
    line(
        &["openpolicyagent/gatekeeper"],
        &[&power::WRITE_GATEKEEPER_MUTATIONS],
        Gives::PodChanges,
        "a pod is made while the mutation is in place",
    ),
    // <https://external-secrets.io/latest/guides/multi-tenancy/>
    line(
        &["external-secrets"],
        &[&power::WRITE_SECRET_STORES, &power::WRITE_CLUSTER_SECRET_STORES],
        Gives::Credentials,
        "the operator reaches the server that the store names",
    ),
    // <https://cert-manager.io/docs/configuration/vault/>
    line(
        &["cert-manager-controller"],
        &[&power::WRITE_ISSUERS],
        Gives::Credentials,
        "cert-manager reaches the server that the issuer names",
    ),
    // <https://cert-manager.io/docs/configuration/#cluster-resource-namespace>
    line(
        &["cert-manager-controller"],
        &[&power::WRITE_CLUSTER_ISSUERS],
        Gives::OwnCredentials,
        "cert-manager reaches the server that the issuer names",
    ),
    // <https://karpenter.sh/docs/concepts/nodeclasses/#specuserdata>
    line(
        &["karpenter/controller"],
        &[&power::WRITE_KARPENTER_NODE_CLASSES],
        Gives::Nodes("karpenter.sh/nodepool"),
        "Karpenter replaces the node after its class has changed",
    )
    .labels(&[(NAME, "karpenter")]),
    line(
        &[],
        &[&power::WRITE_MONITORS],
        Gives::OwnToken,
        "Prometheus selects the monitor and lets it name a file",
    )
    .labels(&[
        (NAME, "prometheus"),
        ("app.kubernetes.io/managed-by", "prometheus-operator"),
    ]),
    // <https://github.com/kubernetes/ingress-nginx/issues/7837>
    line(
        &["ingress-nginx/controller", "nginx-ingress-controller"],
        &[&power::WRITE_INGRESSES],
        Gives::OwnTokenIf("allow-snippet-annotations"),
        "annotations-risk-level lets Ingresses carry snippets",
    ),
    runs(&["prometheus-operator"], &[&power::RUN_PROMETHEUS], true),
    runs(&["workflow-controller"], &[&power::RUN_ARGO_WORKFLOWS], true),
    runs(&["argo-events"], &[&power::RUN_ARGO_SENSORS], true),
    runs(&["argo-rollouts"], &[&power::RUN_ARGO_ROLLOUTS], true),
    runs(
        &["tektoncd/pipeline/cmd/controller", "tektoncd/pipeline/controller"],
        &[&power::RUN_TEKTON],
        true,
    )
    .labels(&[
        ("app.kubernetes.io/part-of", "tekton-pipelines"),
        ("app.kubernetes.io/component", "controller"),
    ]),
    runs(&["serving/cmd/controller"], &[&power::RUN_KNATIVE], false).labels(&[
        (NAME, "knative-serving"),
        ("app.kubernetes.io/component", "controller"),
    ]),
    runs(&["virt-controller"], &[&power::WRITE_VIRTUAL_MACHINES], false),
    runs(&["spark-operator"], &[&power::RUN_SPARK], true),
    runs(&["kuberay/operator"], &[&power::RUN_RAY], true).labels(&[(NAME, "kuberay-operator")]),
    runs(
        &["notebook-controller", "training-operator"],
        &[&power::RUN_KUBEFLOW],
        true,
    ),
    runs(
        &["vc-controller-manager", "jobset/jobset"],
        &[&power::RUN_BATCH_JOBS],
        true,
    ),
    runs(&["kedacore/keda"], &[&power::RUN_SCALED_JOBS], true).labels(&[(NAME, "keda-operator")]),
    runs(
        &["gha-runner-scale-set-controller", "actions-runner-controller"],
        &[&power::RUN_ACTIONS],
        true,
    ),
];

/// Returns every controller that runs in the cluster, once for each account, in the order of the table.
///
/// # Complexity
/// Linear in pods and Jobs; the table is gone through once for each image.
pub(super) fn running<'a>(context: &Context<'a>) -> &'a [Running] {
    context.once.controllers.get_or_init(|| find(context))
}

fn find(context: &Context<'_>) -> Vec<Running> {
    let mut finder = Finder::default();
    for pod in pods(context) {
        for (at, container) in pod.pod.spec.containers.iter().enumerate() {
            let labels = &pod.pod.meta.labels;
            finder.look(pod.pod, labels, container, |account| {
                vec![
                    pod.fact(format_args!("/containers/{at}/image"), &container.image),
                    pod.fact("/serviceAccountName", account),
                ]
            });
        }
    }
    // The pods of a Job have often ended, and its account stays.
    for (id, job) in context
        .cluster
        .workloads
        .iter()
        .filter(|(id, _)| id.kind == "Job")
    {
        let template = job.template();
        let pod = Pod {
            meta: job.meta.clone(),
            spec: template.spec.clone(),
            ..Pod::default()
        };
        for (at, container) in pod.spec.containers.iter().enumerate() {
            finder.look(&pod, &template.meta.labels, container, |account| {
                let fact = |pointer: String, value: &Text| {
                    Evidence::new(id.clone(), format!("/spec/template/spec{pointer}"), value)
                };
                vec![
                    fact(format!("/containers/{at}/image"), &container.image),
                    fact("/serviceAccountName".to_owned(), account),
                ]
            });
        }
    }
    finder.found.into_values().collect()
}

#[derive(Default)]
struct Finder {
    by_image: FxHashMap<Text, Vec<usize>>,
    found: BTreeMap<(usize, Identity), Running>,
}

impl Finder {
    /// Adds the controllers that a container is.
    fn look(
        &mut self,
        pod: &Pod,
        labels: &Labels,
        container: &Container,
        evidence: impl Fn(&Text) -> Vec<Evidence>,
    ) {
        let by_image = self
            .by_image
            .entry(container.image.clone())
            .or_insert_with(|| by_image(&container.image));
        let by_image = by_image.iter().copied().filter(|&at| {
            let program = CONTROLLERS[at].program;
            program.is_empty()
                || labels.get(NAME).is_some_and(|name| name == program)
                || words(container).any(|word| word.rsplit('/').next() == Some(program))
        });
        let by_label = (0..CONTROLLERS.len()).filter(|&at| {
            let wanted = CONTROLLERS[at].labels;
            let has = |(key, value): &(&str, &str)| labels.get(key).is_some_and(|known| known == value);
            !wanted.is_empty() && wanted.iter().all(has)
        });
        let account = pod.spec.account();
        for at in by_image.chain(by_label).collect::<Vec<_>>() {
            let namespace = pod.meta.namespace.clone();
            let identity = Identity::service_account(&namespace, &account);
            self.found
                .entry((at, identity.clone()))
                .or_insert_with(|| Running {
                    kind: &CONTROLLERS[at],
                    namespace,
                    account: identity,
                    words: words(container).cloned().collect(),
                    evidence: evidence(&account),
                });
        }
    }
}

/// What a container is started with.
fn words(container: &Container) -> impl Iterator<Item = &Text> {
    let words = container.command.words().iter().chain(container.args.words());
    words.map(|word| &word.text)
}

/// The lines of the table whose image this is.
fn by_image(image: &str) -> Vec<usize> {
    let name = image.split('@').next().unwrap_or_default();
    let name = match name.rsplit_once(':') {
        // A colon before the last slash belongs to the registry's port.
        Some((name, tag)) if !tag.contains('/') => name,
        _ => name,
    };
    let is = |end: &str| {
        let whole = name == end || name.strip_suffix(end).is_some_and(|rest| rest.ends_with('/'));
        whole || is_hashed(name, end)
    };
    (0..CONTROLLERS.len())
        .filter(|&at| CONTROLLERS[at].images.iter().any(|end| is(end)))
        .collect()
}

/// Whether a name has this end and a checksum behind it, as images built by `ko` have.
fn is_hashed(name: &str, end: &str) -> bool {
    let Some((before, sum)) = name.rsplit_once('-') else {
        return false;
    };
    sum.len() == 32
        && sum.bytes().all(|byte| byte.is_ascii_hexdigit())
        && before.strip_suffix(end).is_some_and(|rest| rest.ends_with('/'))
}

impl Running {
    /// What the controller is started with at an option: `--name=value` or `--name value`; empty without a value.
    pub(super) fn option(&self, name: &str) -> Option<&str> {
        let at = self.words.iter().position(|word| {
            word.strip_prefix(name)
                .is_some_and(|rest| rest.is_empty() || rest.starts_with('='))
        })?;
        let value = self.words[at].split_once('=').map(|(_, value)| value);
        Some(value.unwrap_or_else(|| self.words.get(at + 1).map_or("", Text::as_str)))
    }

    /// The ConfigMap of the controller's namespace that has a key, with the value there.
    pub(super) fn setting<'a>(&self, context: &Context<'a>, key: &str) -> Option<(&'a ObjectId, &'a Text)> {
        let maps = context.cluster.config_maps.iter();
        let mut own = maps.filter(|(id, _)| id.namespace == self.namespace);
        own.find_map(|(id, map)| Some((id, &map.data.0.get(key)?.text)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn images_are_recognised_by_their_end() {
        let powers = |image: &str| -> Vec<&str> {
            let lines = by_image(image).into_iter();
            lines
                .flat_map(|at| CONTROLLERS[at].powers)
                .map(|power| power.id)
                .collect()
        };
        assert_eq!(
            powers("quay.io/argoproj/argocd:v2.9.0"),
            ["write-argo-applications"]
        );
        assert_eq!(
            powers("mirror:5000/argocd@sha256:00"),
            ["write-argo-applications"]
        );
        assert_eq!(powers("argocd"), ["write-argo-applications"]);
        let hashed = "ghcr.io/tektoncd/pipeline/controller-10a3e32792f33651396d02b6855a6e36:v1.0.0";
        assert_eq!(powers(hashed), ["run-tekton"]);
        assert!(powers("quay.io/acme/not-argocd:1").is_empty());
        assert!(powers("mirror:5000/argocd/site").is_empty());
    }

    /// A pod that a line recognises, running as `ops/deputy`, whose image and labels are as this image has them.
    fn workload(controller: &Controller, image: Option<&str>) -> String {
        let labels: Vec<String> = controller
            .labels
            .iter()
            .filter(|_| image.is_none())
            .map(|(key, value)| format!("{key}: {value}"))
            .collect();
        let image = image.map_or_else(
            || "registry/other:1".to_owned(),
            |image| format!("registry:5000/x/{image}:v1"),
        );
        let args = if controller.program.is_empty() {
            String::new()
        } else {
            format!(", args: [/usr/bin/{}]", controller.program)
        };
        format!(
            "
apiVersion: v1
kind: Pod
metadata: {{ name: deputy, namespace: ops, labels: {{ {} }} }}
spec: {{ serviceAccountName: deputy, containers: [{{ name: main, image: \"{image}\"{args} }}] }}
---
",
            labels.join(", ")
        )
    }

    /// Rights for an account of `ops`, in the whole cluster.
    fn rights(account: &str, rules: &[String]) -> String {
        format!(
            "
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: {{ name: {account} }}
rules: [{}]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: {{ name: {account} }}
roleRef: {{ apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: {account} }}
subjects: [{{ kind: ServiceAccount, name: {account}, namespace: ops }}]
---
",
            rules.join(", ")
        )
    }

    /// A rule for each right of a power.
    fn rules(power: &Power) -> Vec<String> {
        let quoted = |words: &str| {
            words
                .split(' ')
                .map(|word| format!("'{word}'"))
                .collect::<Vec<_>>()
                .join(", ")
        };
        let rule = |right: &crate::rbac::Right| {
            format!(
                "{{ apiGroups: ['{}'], resources: [{}], verbs: [{}] }}",
                right.group,
                quoted(right.resources),
                quoted(right.verbs)
            )
        };
        power.any.iter().map(rule).collect()
    }

    /// What the line gives besides rights and the workload.
    fn surroundings(controller: &Controller) -> String {
        match controller.gives {
            Gives::OwnTokenIf(key) => format!(
                "apiVersion: v1\nkind: ConfigMap\nmetadata: {{ name: c, namespace: ops }}\ndata: {{ {key}: \"true\" }}\n---\n"
            ),
            Gives::Nodes(label) => {
                format!(
                    "apiVersion: v1\nkind: Node\nmetadata: {{ name: n1, labels: {{ {label}: x }} }}\n---\n"
                )
            }
            _ => String::new(),
        }
    }

    fn conclusions(text: &str) -> Vec<String> {
        let (cluster, _) = crate::collect::read_text("deputy.yaml", text, "default");
        let facts = crate::techniques::Facts::new(&cluster);
        let steps = crate::techniques::steps_of(
            &crate::techniques::deputy::CONFUSED_DEPUTY,
            &facts.context(&cluster),
        );
        steps.iter().map(|step| step.conclusion.to_string()).collect()
    }

    fn expected(gives: Gives) -> &'static str {
        match gives {
            Gives::Account { .. } => "ServiceAccount/ops/deputy",
            Gives::Pods { .. } | Gives::Credentials | Gives::OwnCredentials => {
                "Credential/ServiceAccount/ops/*"
            }
            Gives::PodChanges => "Pod/ops/*",
            Gives::OwnToken | Gives::OwnTokenIf(_) => "Credential/ServiceAccount/ops/deputy",
            Gives::Nodes(_) => "Node/n1",
        }
    }

    #[test]
    fn every_line_fires_with_its_workload_and_its_right_and_not_without_either() {
        let makes =
            "{ apiGroups: [''], resources: [pods, secrets, serviceaccounts/token], verbs: [create, get] }";
        let own = rights("deputy", &[makes.to_owned()]);
        for controller in CONTROLLERS {
            let around = surroundings(controller);
            let mut shapes: Vec<Option<&str>> = controller.images.iter().copied().map(Some).collect();
            if !controller.labels.is_empty() {
                shapes.push(None);
            }
            for power in controller.powers {
                let may = rights("writer", &rules(power));
                for &shape in &shapes {
                    let runs = workload(controller, shape);
                    let found = conclusions(&format!("{around}{own}{may}{runs}"));
                    let wanted = expected(controller.gives);
                    assert!(
                        found.iter().any(|found| found == wanted),
                        "{} with {shape:?}: no {wanted} in {found:?}",
                        power.id
                    );
                    let without = conclusions(&format!("{around}{own}{runs}"));
                    assert!(without.is_empty(), "{} without the right: {without:?}", power.id);
                }
                let without = conclusions(&format!("{around}{own}{may}"));
                assert!(
                    without.is_empty(),
                    "{} without the workload: {without:?}",
                    power.id
                );
            }
        }
    }

    #[test]
    fn every_line_can_be_recognised_and_gives_something() {
        for controller in CONTROLLERS {
            assert!(!controller.images.is_empty() || !controller.labels.is_empty());
            assert!(!controller.powers.is_empty(), "{controller:?}");
            assert!(controller.program.is_empty() || !controller.images.is_empty());
        }
    }
}
