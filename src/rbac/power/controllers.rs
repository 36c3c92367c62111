//! Powers over custom resources whose controllers act with rights of their own.
//!
//! What such an object gives is what its controller may do; that is decided elsewhere, from the controller's
//! own bindings.
//!
//! **Trap.** Some of these kinds have a namespaced and a cluster-scoped form under one group.

use super::{on, power_table, wide};

const WRITE: &str = "create update patch";

power_table! {
    /// Anything, deployed by Argo CD's controller.
    WRITE_ARGO_APPLICATIONS = "write-argo-applications", "write Argo CD applications",
        [on(WRITE, "argoproj.io", "applications applicationsets appprojects")];
    /// Pods with a service account of choice.
    RUN_ARGO_WORKFLOWS = "run-argo-workflows", "run Argo workflows",
        [on(WRITE, "argoproj.io", "workflows cronworkflows workflowtemplates sensors")];
    /// Anything, deployed by Flux's controllers.
    WRITE_FLUX = "write-flux", "write Flux sources and deployments", [
        on(WRITE, "kustomize.toolkit.fluxcd.io", "kustomizations"),
        on(WRITE, "helm.toolkit.fluxcd.io", "helmreleases"),
        on(WRITE, "source.toolkit.fluxcd.io", "gitrepositories ocirepositories buckets"),
        on(WRITE, "source.toolkit.fluxcd.io", "helmrepositories helmcharts"),
    ];
    /// Pods with a service account of choice.
    RUN_TEKTON = "run-tekton", "run Tekton tasks", [on("create", "tekton.dev", "taskruns pipelineruns")];
    /// Secrets of the store: a cloud's, or other namespaces'.
    WRITE_EXTERNAL_SECRETS = "write-external-secrets", "fetch or push external secrets",
        [on(WRITE, "external-secrets.io", "externalsecrets pushsecrets secretstores")];
    /// The same for the whole cluster.
    WRITE_CLUSTER_SECRET_STORES = "write-cluster-secret-stores", "write ClusterSecretStores",
        [wide(WRITE, "external-secrets.io", "clustersecretstores clusterexternalsecrets")];
    /// Certificates for any name.
    WRITE_CERTIFICATES = "write-certificates", "request certificates from cert-manager",
        [on(WRITE, "cert-manager.io", "certificates certificaterequests issuers")];
    /// Issuers for the whole cluster.
    WRITE_CLUSTER_ISSUERS = "write-cluster-issuers", "write ClusterIssuers",
        [wide(WRITE, "cert-manager.io", "clusterissuers")];
    /// Cloud resources and objects, made by Crossplane.
    WRITE_CROSSPLANE = "write-crossplane", "write Crossplane objects", [
        wide(WRITE, "kubernetes.crossplane.io", "objects providerconfigs"),
        wide(WRITE, "apiextensions.crossplane.io", "compositions compositeresourcedefinitions"),
        wide(WRITE, "pkg.crossplane.io", "providers configurations functions"),
    ];
    /// Machines, made by the Cluster API.
    WRITE_MACHINES = "write-machines", "write machines of the Cluster API", [
        on(WRITE, "cluster.x-k8s.io", "machines machinedeployments machinesets clusters"),
        on(WRITE, "bootstrap.cluster.x-k8s.io", "kubeadmconfigs kubeadmconfigtemplates"),
    ];
    /// Nodes with start-up scripts of choice.
    WRITE_KARPENTER = "write-karpenter", "write node classes of Karpenter", [
        wide(WRITE, "karpenter.k8s.aws", "ec2nodeclasses"),
        wide(WRITE, "karpenter.sh", "nodepools nodeclaims"),
    ];
    /// Any object, made or changed by Kyverno.
    WRITE_KYVERNO_POLICIES = "write-kyverno-policies", "write Kyverno policies",
        [on(WRITE, "kyverno.io", "policies")];
    /// The same for the whole cluster.
    WRITE_KYVERNO_CLUSTER_POLICIES = "write-kyverno-cluster-policies",
        "write Kyverno policies of the whole cluster",
        [wide(WRITE, "kyverno.io", "clusterpolicies")];
    /// An end to guards.
    WRITE_KYVERNO_EXCEPTIONS = "write-kyverno-exceptions", "write exceptions from Kyverno policies",
        [on(WRITE, "kyverno.io", "policyexceptions")];
    /// A change to every later pod.
    WRITE_GATEKEEPER_MUTATIONS = "write-gatekeeper-mutations", "write mutations of Gatekeeper",
        [wide(WRITE, "mutations.gatekeeper.sh", "assign assignmetadata modifyset assignimage")];
    /// An end to guards.
    WEAKEN_GATEKEEPER = "weaken-gatekeeper", "change or delete constraints of Gatekeeper", [
        wide("update patch delete deletecollection", "templates.gatekeeper.sh", "constrainttemplates"),
        wide("update patch delete deletecollection", "constraints.gatekeeper.sh", "?"),
    ];
    /// Operators with the rights they ask for.
    WRITE_SUBSCRIPTIONS = "write-subscriptions", "install operators",
        [on(WRITE, "operators.coreos.com", "subscriptions clusterserviceversions catalogsources installplans")];
    /// Any object, from a backup.
    WRITE_RESTORES = "write-restores", "restore backups of Velero",
        [on("create", "velero.io", "restores backups")];
    /// Anything, deployed by K3s.
    WRITE_HELM_CHARTS = "write-helm-charts", "deploy Helm charts through K3s",
        [on(WRITE, "helm.cattle.io", "helmcharts helmchartconfigs")];
    /// Virtual machines.
    WRITE_VIRTUAL_MACHINES = "write-virtual-machines", "write virtual machines of KubeVirt",
        [on(WRITE, "kubevirt.io", "virtualmachines virtualmachineinstances")];
    /// Pods with a service account of choice, and what Prometheus sends its token to.
    WRITE_PROMETHEUS = "write-prometheus", "write Prometheus servers and their targets",
        [
            on(WRITE, "monitoring.coreos.com", "prometheuses prometheusagents alertmanagers thanosrulers"),
            on(WRITE, "monitoring.coreos.com", "servicemonitors podmonitors probes"),
        ];
}
