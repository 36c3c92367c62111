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
        [on(WRITE, "argoproj.io", "applications applicationsets")];
    /// What applications may deploy, and where.
    WRITE_ARGO_PROJECTS = "write-argo-projects", "write Argo CD projects",
        [on(WRITE, "argoproj.io", "appprojects")];
    /// Pods with a service account of choice.
    RUN_ARGO_WORKFLOWS = "run-argo-workflows", "run Argo workflows",
        [on(WRITE, "argoproj.io", "workflows cronworkflows")];
    /// Pods with a service account of choice.
    RUN_ARGO_SENSORS = "run-argo-sensors", "run sensors and event sources of Argo Events",
        [on(WRITE, "argoproj.io", "sensors eventsources")];
    /// Pods of a template of one's own.
    RUN_ARGO_ROLLOUTS = "run-argo-rollouts", "run Argo rollouts", [on(WRITE, "argoproj.io", "rollouts")];
    /// Anything, deployed by Flux's controller.
    WRITE_FLUX_KUSTOMIZATIONS = "write-flux-kustomizations", "write Flux kustomizations",
        [on(WRITE, "kustomize.toolkit.fluxcd.io", "kustomizations")];
    /// Anything, deployed by Flux's controller.
    WRITE_FLUX_HELM_RELEASES = "write-flux-helm-releases", "write Helm releases of Flux",
        [on(WRITE, "helm.toolkit.fluxcd.io", "helmreleases")];
    /// What Flux deploys.
    WRITE_FLUX_SOURCES = "write-flux-sources", "write Flux sources", [
        on(WRITE, "source.toolkit.fluxcd.io", "gitrepositories ocirepositories buckets"),
        on(WRITE, "source.toolkit.fluxcd.io", "helmrepositories helmcharts"),
    ];
    /// Anything, deployed by the agent of Fleet.
    WRITE_FLEET = "write-fleet", "write repositories and bundles of Fleet",
        [on(WRITE, "fleet.cattle.io", "gitrepos bundles")];
    /// Pods with a service account of choice.
    RUN_TEKTON = "run-tekton", "run Tekton tasks", [on("create", "tekton.dev", "taskruns pipelineruns")];
    /// Pods of a template of one's own.
    RUN_KNATIVE = "run-knative", "run Knative services",
        [on(WRITE, "serving.knative.dev", "services configurations")];
    /// Pods of a template of one's own.
    RUN_SPARK = "run-spark", "run Spark applications",
        [on(WRITE, "sparkoperator.k8s.io", "sparkapplications scheduledsparkapplications")];
    /// Pods of a template of one's own.
    RUN_RAY = "run-ray", "run Ray clusters and jobs", [on(WRITE, "ray.io", "rayclusters rayjobs rayservices")];
    /// Pods of a template of one's own.
    RUN_KUBEFLOW = "run-kubeflow", "run notebooks and training jobs of Kubeflow",
        [on(WRITE, "kubeflow.org", "notebooks pytorchjobs tfjobs mpijobs xgboostjobs")];
    /// Pods of a template of one's own.
    RUN_BATCH_JOBS = "run-batch-jobs", "run jobs of Volcano and JobSet", [
        on(WRITE, "batch.volcano.sh", "jobs"),
        on(WRITE, "jobset.x-k8s.io", "jobsets"),
    ];
    /// Pods of a template of one's own.
    RUN_SCALED_JOBS = "run-scaled-jobs", "run scaled jobs of KEDA", [on(WRITE, "keda.sh", "scaledjobs")];
    /// Pods of a template of one's own.
    RUN_ACTIONS = "run-actions", "run runners of GitHub Actions", [
        on(WRITE, "actions.github.com", "autoscalingrunnersets ephemeralrunnersets ephemeralrunners"),
        on(WRITE, "actions.summerwind.dev", "runners runnersets runnerdeployments"),
    ];
    /// Secrets of the store: a cloud's, or other namespaces'.
    WRITE_EXTERNAL_SECRETS = "write-external-secrets", "fetch or push external secrets",
        [on(WRITE, "external-secrets.io", "externalsecrets pushsecrets")];
    /// The same in every namespace.
    WRITE_CLUSTER_EXTERNAL_SECRETS = "write-cluster-external-secrets",
        "fetch or push external secrets in every namespace",
        [wide(WRITE, "external-secrets.io", "clusterexternalsecrets clusterpushsecrets")];
    /// Credentials of the namespace, sent to a server of choice.
    WRITE_SECRET_STORES = "write-secret-stores", "write SecretStores",
        [on(WRITE, "external-secrets.io", "secretstores")];
    /// The same for the whole cluster.
    WRITE_CLUSTER_SECRET_STORES = "write-cluster-secret-stores", "write ClusterSecretStores",
        [wide(WRITE, "external-secrets.io", "clustersecretstores")];
    /// Certificates for any name.
    WRITE_CERTIFICATES = "write-certificates", "request certificates from cert-manager",
        [on(WRITE, "cert-manager.io", "certificates certificaterequests")];
    /// Credentials of the namespace, sent to a server of choice.
    WRITE_ISSUERS = "write-issuers", "write Issuers of cert-manager",
        [on(WRITE, "cert-manager.io", "issuers")];
    /// The same for the whole cluster, with Secrets of cert-manager's own namespace.
    WRITE_CLUSTER_ISSUERS = "write-cluster-issuers", "write ClusterIssuers",
        [wide(WRITE, "cert-manager.io", "clusterissuers")];
    /// Any object, made by a provider of Crossplane.
    WRITE_CROSSPLANE_OBJECTS = "write-crossplane-objects", "write objects of Crossplane's Kubernetes provider",
        [wide(WRITE, "kubernetes.crossplane.io", "objects")];
    /// Any object, made by a provider of Crossplane.
    WRITE_CROSSPLANE_RELEASES = "write-crossplane-releases", "write releases of Crossplane's Helm provider",
        [wide(WRITE, "helm.crossplane.io", "releases")];
    /// Cloud resources and code of one's own, made by Crossplane.
    WRITE_CROSSPLANE = "write-crossplane", "write compositions and packages of Crossplane", [
        wide(WRITE, "apiextensions.crossplane.io", "compositions compositeresourcedefinitions"),
        wide(WRITE, "pkg.crossplane.io", "providers configurations functions"),
    ];
    /// Machines, made by the Cluster API.
    WRITE_MACHINES = "write-machines", "write machines of the Cluster API", [
        on(WRITE, "cluster.x-k8s.io", "machines machinedeployments machinesets clusters"),
        on(WRITE, "bootstrap.cluster.x-k8s.io", "kubeadmconfigs kubeadmconfigtemplates"),
    ];
    /// Nodes with start-up scripts of choice.
    WRITE_KARPENTER_NODE_CLASSES = "write-karpenter-node-classes", "write node classes of Karpenter",
        [wide(WRITE, "karpenter.k8s.aws", "ec2nodeclasses")];
    /// Nodes of one's choice.
    WRITE_KARPENTER_NODE_POOLS = "write-karpenter-node-pools", "write node pools of Karpenter",
        [wide(WRITE, "karpenter.sh", "nodepools nodeclaims")];
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
    /// Pods with a service account of choice.
    RUN_PROMETHEUS = "run-prometheus", "run servers of the Prometheus operator",
        [on(WRITE, "monitoring.coreos.com", "prometheuses prometheusagents alertmanagers thanosrulers")];
    /// What Prometheus sends its token to.
    WRITE_MONITORS = "write-monitors", "write targets of Prometheus",
        [on(WRITE, "monitoring.coreos.com", "servicemonitors")];
}
