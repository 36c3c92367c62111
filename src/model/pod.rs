//! Pods and their templates, as far as rules read them.
//!
//! **Trap.** `containers` alone are not the pod: init containers run with the same mounts, sidecars are init
//! containers that stay (`restartPolicy: Always`), ephemeral containers are added to a running pod. Use
//! [`PodSpec::all_containers`].
//! Source: <https://kubernetes.io/docs/reference/kubernetes-api/workload-resources/pod-v1/>

use serde::{Deserialize, Serialize};

use super::lenient::slim;
use super::literal::redacted_arguments;
use super::{Labels, Literal, Meta, Text};

slim! {
    /// A pod, of the input or standing for a workload's template.
    pub struct Pod {
        #[serde(rename = "metadata")]
        meta: Meta,
        spec: PodSpec,
        status: PodStatus,
    }

    /// `status` of a pod.
    pub struct PodStatus {
        phase: Text,
        #[serde(rename = "podIP")]
        pod_ip: Text,
        #[serde(rename = "podIPs")]
        pod_ips: Vec<PodIp>,
        #[serde(rename = "hostIP")]
        host_ip: Text,
        resource_claim_statuses: Vec<ResourceClaimStatus>,
        extended_resource_claim_status: Option<Box<ExtendedResourceClaimStatus>>,
    }

    /// `status.resourceClaimStatuses[]`: the claim that was made of a template.
    pub struct ResourceClaimStatus { name: Text, resource_claim_name: Text, }

    /// `status.extendedResourceClaimStatus`: the claim that was made for extended resources.
    pub struct ExtendedResourceClaimStatus { resource_claim_name: Text, }

    /// `status.podIPs[]`.
    pub struct PodIp { ip: Text, }

    /// The template of a workload's pods.
    pub struct PodTemplate {
        #[serde(rename = "metadata")]
        meta: Meta,
        spec: PodSpec,
    }

    /// `spec` of a pod.
    pub struct PodSpec {
        service_account_name: Text,
        /// The deprecated alias of `serviceAccountName`.
        service_account: Text,
        automount_service_account_token: Option<bool>,
        node_name: Text,
        node_selector: Labels,
        #[serde(rename = "hostPID")]
        host_pid: Option<bool>,
        #[serde(rename = "hostIPC")]
        host_ipc: Option<bool>,
        host_network: Option<bool>,
        host_users: Option<bool>,
        share_process_namespace: Option<bool>,
        security_context: PodSecurityContext,
        containers: Vec<Container>,
        init_containers: Vec<Container>,
        ephemeral_containers: Vec<Container>,
        volumes: Vec<Volume>,
        image_pull_secrets: Vec<LocalReference>,
        runtime_class_name: Text,
        priority_class_name: Text,
        scheduler_name: Text,
        os: PodOs,
        tolerations: Vec<Toleration>,
        resource_claims: Vec<PodResourceClaim>,
    }

    /// `spec.resourceClaims[]`: a claim to devices by name, or a template of one.
    pub struct PodResourceClaim { name: Text, resource_claim_name: Text, resource_claim_template_name: Text, }

    /// `spec.os`.
    pub struct PodOs { name: Text, }

    /// `spec.tolerations[]`.
    pub struct Toleration { key: Text, operator: Text, value: Text, effect: Text, }

    /// A reference to an object of the same namespace by name.
    pub struct LocalReference { name: Text, }

    /// `spec.securityContext` of a pod.
    pub struct PodSecurityContext {
        run_as_user: Option<i64>,
        run_as_group: Option<i64>,
        run_as_non_root: Option<bool>,
        fs_group: Option<i64>,
        supplemental_groups: Vec<i64>,
        seccomp_profile: Option<Box<Profile>>,
        app_armor_profile: Option<Box<Profile>>,
        se_linux_options: Option<Box<SeLinuxOptions>>,
        windows_options: Option<Box<WindowsOptions>>,
        sysctls: Vec<Sysctl>,
    }

    /// A seccomp or AppArmor profile.
    pub struct Profile {
        r#type: Text,
        localhost_profile: Text,
    }

    /// `seLinuxOptions`.
    pub struct SeLinuxOptions { r#type: Text, user: Text, role: Text, level: Text, }

    /// `windowsOptions`.
    pub struct WindowsOptions { host_process: Option<bool>, run_as_user_name: Text, }

    /// `sysctls[]`.
    pub struct Sysctl { name: Text, value: Text, }

    /// A container of any sort.
    pub struct Container {
        name: Text,
        image: Text,
        command: Arguments,
        args: Arguments,
        env: Vec<EnvVar>,
        env_from: Vec<EnvFromSource>,
        ports: Vec<ContainerPort>,
        volume_mounts: Vec<VolumeMount>,
        volume_devices: Vec<VolumeDevice>,
        security_context: SecurityContext,
        restart_policy: Text,
        stdin: Option<bool>,
        /// Of an ephemeral container: whose process namespace it shares.
        target_container_name: Text,
    }

    /// `securityContext` of a container.
    pub struct SecurityContext {
        privileged: Option<bool>,
        run_as_user: Option<i64>,
        run_as_group: Option<i64>,
        run_as_non_root: Option<bool>,
        allow_privilege_escalation: Option<bool>,
        read_only_root_filesystem: Option<bool>,
        proc_mount: Option<Text>,
        capabilities: Capabilities,
        seccomp_profile: Option<Box<Profile>>,
        app_armor_profile: Option<Box<Profile>>,
        se_linux_options: Option<Box<SeLinuxOptions>>,
        windows_options: Option<Box<WindowsOptions>>,
    }

    /// `capabilities`, as written: letter case and the `CAP_` prefix are not normalised here.
    pub struct Capabilities { add: Vec<Text>, drop: Vec<Text>, }

    /// `ports[]`.
    pub struct ContainerPort {
        name: Text,
        container_port: u16,
        host_port: Option<u16>,
        #[serde(rename = "hostIP")]
        host_ip: Text,
        protocol: Protocol,
    }

    /// `envFrom[]`.
    pub struct EnvFromSource {
        prefix: Text,
        secret_ref: Option<SourceReference>,
        config_map_ref: Option<SourceReference>,
    }

    /// A Secret or ConfigMap by name.
    pub struct SourceReference { name: Text, optional: Option<bool>, }

    /// One key of a Secret or ConfigMap.
    pub struct KeyReference { name: Text, key: Text, optional: Option<bool>, }

    /// `env[].valueFrom`.
    pub struct EnvSource {
        secret_key_ref: Option<KeyReference>,
        config_map_key_ref: Option<KeyReference>,
        field_ref: Option<FieldReference>,
    }

    /// `fieldRef`.
    pub struct FieldReference { field_path: Text, }

    /// `volumeMounts[]`.
    pub struct VolumeMount {
        name: Text,
        mount_path: Text,
        sub_path: Text,
        /// The same with variables of the container, `$(POD_NAME)`.
        sub_path_expr: Text,
        read_only: Option<bool>,
        mount_propagation: Text,
    }

    /// `volumeDevices[]`.
    pub struct VolumeDevice { name: Text, device_path: Text, }

    /// `volumes[]`; one of the sources is set.
    pub struct Volume {
        name: Text,
        secret: Option<Box<SecretVolume>>,
        config_map: Option<Box<ConfigMapVolume>>,
        host_path: Option<Box<HostPath>>,
        persistent_volume_claim: Option<Box<ClaimVolume>>,
        projected: Option<Box<Projected>>,
        empty_dir: Option<Box<EmptyDir>>,
        csi: Option<Box<CsiVolume>>,
        nfs: Option<Box<NfsVolume>>,
        ephemeral: Option<Box<EphemeralVolume>>,
    }

    /// `secret` of a volume.
    pub struct SecretVolume { secret_name: Text, items: Vec<KeyToPath>, optional: Option<bool>, }

    /// `configMap` of a volume.
    pub struct ConfigMapVolume { name: Text, items: Vec<KeyToPath>, optional: Option<bool>, }

    /// `items[]`: one key and where it appears.
    pub struct KeyToPath { key: Text, path: Text, }

    /// `hostPath` of a volume or PersistentVolume.
    pub struct HostPath { path: Text, r#type: Text, }

    /// `persistentVolumeClaim` of a volume.
    pub struct ClaimVolume { claim_name: Text, read_only: Option<bool>, }

    /// `projected` of a volume.
    pub struct Projected { sources: Vec<ProjectedSource>, }

    /// `projected.sources[]`; one of them is set.
    pub struct ProjectedSource {
        service_account_token: Option<Box<TokenProjection>>,
        secret: Option<Box<SecretProjection>>,
        config_map: Option<Box<ConfigMapVolume>>,
    }

    /// `secret` of a projected source.
    pub struct SecretProjection { name: Text, items: Vec<KeyToPath>, optional: Option<bool>, }

    /// `serviceAccountToken` of a projected source.
    pub struct TokenProjection {
        audience: Text,
        expiration_seconds: Option<i64>,
        path: Text,
    }

    /// `emptyDir` of a volume.
    pub struct EmptyDir { medium: Text, }

    /// `csi` of a volume.
    pub struct CsiVolume { driver: Text, read_only: Option<bool>, node_publish_secret_ref: Option<LocalReference>, }

    /// `nfs` of a volume.
    pub struct NfsVolume { server: Text, path: Text, read_only: Option<bool>, }

    /// `ephemeral` of a volume.
    pub struct EphemeralVolume { volume_claim_template: ClaimTemplate, }

    /// A claim that is made for each pod.
    pub struct ClaimTemplate {
        #[serde(rename = "metadata")]
        meta: Meta,
        spec: super::storage::PersistentVolumeClaimSpec,
    }

}

impl PodSpec {
    /// Gives back the room that lists have reserved and not filled: half of what a pod takes.
    ///
    /// A list that grows by one makes room for four, and most lists of a pod have one element.
    pub fn shrink_to_fit(&mut self) {
        for containers in [
            &mut self.containers,
            &mut self.init_containers,
            &mut self.ephemeral_containers,
        ] {
            containers.shrink_to_fit();
            containers.iter_mut().for_each(Container::shrink_to_fit);
        }
        self.volumes.shrink_to_fit();
        let projected = self
            .volumes
            .iter_mut()
            .filter_map(|volume| volume.projected.as_mut());
        projected.for_each(|projected| projected.sources.shrink_to_fit());
        self.image_pull_secrets.shrink_to_fit();
        self.tolerations.shrink_to_fit();
        self.resource_claims.shrink_to_fit();
    }
}

impl Container {
    /// Whether a variable or an argument holds a credential in clear.
    pub fn has_credential_in_clear(&self) -> bool {
        let mut values = self.env.iter().filter_map(|variable| variable.value.as_ref());
        let mut words = self.command.words().iter().chain(self.args.words());
        values.any(|value| value.withheld) || words.any(|word| word.withheld)
    }

    fn shrink_to_fit(&mut self) {
        self.env.shrink_to_fit();
        self.env_from.shrink_to_fit();
        self.ports.shrink_to_fit();
        self.volume_mounts.shrink_to_fit();
        self.security_context.capabilities.add.shrink_to_fit();
        self.security_context.capabilities.drop.shrink_to_fit();
    }
}

/// A transport protocol; the API's default is TCP.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
#[expect(missing_docs, reason = "the API's own words")]
pub enum Protocol {
    #[default]
    Tcp,
    Udp,
    Sctp,
}

impl Protocol {
    /// All protocols.
    pub const ALL: [Self; 3] = [Self::Tcp, Self::Udp, Self::Sctp];

    /// The API's spelling.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Tcp => "TCP",
            Self::Udp => "UDP",
            Self::Sctp => "SCTP",
        }
    }
}

impl std::fmt::Display for Protocol {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

/// An environment variable, its value redacted by its name.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", from = "WrittenEnvVar")]
pub struct EnvVar {
    /// The variable's name.
    pub name: Text,
    /// The value written in the spec; unset if it comes from elsewhere.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub value: Option<Literal>,
    /// Where the value comes from.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub value_from: Option<Box<EnvSource>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct WrittenEnvVar {
    #[serde(default)]
    name: Text,
    #[serde(default)]
    value: Option<Literal>,
    #[serde(default)]
    value_from: Option<Box<EnvSource>>,
}

impl From<WrittenEnvVar> for EnvVar {
    fn from(written: WrittenEnvVar) -> Self {
        Self {
            value: written.value.map(|value| value.called(&written.name)),
            name: written.name,
            value_from: written.value_from,
        }
    }
}

/// `command` or `args`, credentials withheld.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "Vec<Literal>")]
pub struct Arguments(Vec<Literal>);

impl Arguments {
    /// The words in their order.
    pub fn words(&self) -> &[Literal] {
        &self.0
    }

    /// The words, to change.
    pub fn words_mut(&mut self) -> &mut [Literal] {
        &mut self.0
    }
}

impl From<Vec<Literal>> for Arguments {
    fn from(words: Vec<Literal>) -> Self {
        if words.iter().any(|word| word.withheld) {
            return Self(words);
        }
        Self(redacted_arguments(words))
    }
}

impl PodSpec {
    /// All containers: the ordinary ones, then init (sidecars among them), then ephemeral ones.
    pub fn all_containers(&self) -> impl Iterator<Item = &Container> {
        self.containers
            .iter()
            .chain(&self.init_containers)
            .chain(&self.ephemeral_containers)
    }

    /// All containers, to change, each with the list that it stands in and its place there.
    pub fn all_containers_mut(&mut self) -> impl Iterator<Item = (&'static str, usize, &mut Container)> {
        let lists = [
            ("containers", &mut self.containers),
            ("initContainers", &mut self.init_containers),
            ("ephemeralContainers", &mut self.ephemeral_containers),
        ];
        let placed = lists.into_iter();
        placed.flat_map(|(list, all)| all.iter_mut().enumerate().map(move |(at, one)| (list, at, one)))
    }

    /// Containers that run as long as the pod does: the ordinary ones, sidecars and ephemeral ones.
    pub fn lasting_containers(&self) -> impl Iterator<Item = &Container> {
        let sidecars = self
            .init_containers
            .iter()
            .filter(|container| container.restart_policy == "Always");
        self.containers
            .iter()
            .chain(sidecars)
            .chain(&self.ephemeral_containers)
    }

    /// The account the pod runs as; unset means `default`.
    ///
    /// Source: <https://kubernetes.io/docs/tasks/configure-pod-container/configure-service-account/>
    pub fn account(&self) -> Text {
        [&self.service_account_name, &self.service_account]
            .into_iter()
            .find(|name| !name.is_empty())
            .cloned()
            .unwrap_or_else(|| Text::new("default"))
    }

    /// Returns the volume called `name`.
    pub fn volume(&self, name: &Text) -> Option<&Volume> {
        self.volumes.iter().find(|volume| volume.name == *name)
    }

    /// Whether the pod shares the node's network; unset means it does not.
    pub fn is_host_network(&self) -> bool {
        self.host_network == Some(true)
    }
}

impl Pod {
    /// Whether the pod has ended for good: its phase is `Succeeded` or `Failed`.
    pub fn has_ended(&self) -> bool {
        self.status.phase == "Succeeded" || self.status.phase == "Failed"
    }
}
