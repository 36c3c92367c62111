//! What decides about objects before they are stored: webhooks and admission policies.
//!
//! Source: <https://kubernetes.io/docs/reference/access-authn-authz/extensible-admission-controllers/>

use super::lenient::slim;
use super::{LabelSelector, Meta, Text};

slim! {
    /// A ValidatingWebhookConfiguration or MutatingWebhookConfiguration.
    pub struct WebhookConfiguration {
        #[serde(rename = "metadata")]
        meta: Meta,
        webhooks: Vec<Webhook>,
    }

    /// `webhooks[]`.
    pub struct Webhook {
        name: Text,
        client_config: WebhookClient,
        failure_policy: Text,
        namespace_selector: Option<LabelSelector>,
        object_selector: Option<LabelSelector>,
        rules: Vec<AdmissionRule>,
    }

    /// `clientConfig`.
    pub struct WebhookClient { url: Text, service: Option<WebhookService>, }

    /// `clientConfig.service`.
    pub struct WebhookService { namespace: Text, name: Text, path: Text, port: Option<u16>, }

    /// A rule: which requests are sent.
    pub struct AdmissionRule {
        api_groups: Vec<Text>,
        api_versions: Vec<Text>,
        operations: Vec<Text>,
        resources: Vec<Text>,
        scope: Text,
    }

    /// A ValidatingAdmissionPolicy.
    pub struct AdmissionPolicy {
        #[serde(rename = "metadata")]
        meta: Meta,
        spec: AdmissionPolicySpec,
    }

    /// `spec` of an admission policy.
    pub struct AdmissionPolicySpec {
        failure_policy: Text,
        match_constraints: MatchResources,
        param_kind: Option<ParamKind>,
        validations: Vec<Validation>,
    }

    /// `matchConstraints` and `matchResources`.
    pub struct MatchResources {
        namespace_selector: Option<LabelSelector>,
        object_selector: Option<LabelSelector>,
        resource_rules: Vec<AdmissionRule>,
    }

    /// `paramKind`.
    pub struct ParamKind { api_version: Text, kind: Text, }

    /// `validations[]`.
    pub struct Validation { expression: Text, message: Text, }

    /// A ValidatingAdmissionPolicyBinding.
    pub struct AdmissionPolicyBinding {
        #[serde(rename = "metadata")]
        meta: Meta,
        spec: AdmissionPolicyBindingSpec,
    }

    /// `spec` of an admission policy's binding.
    pub struct AdmissionPolicyBindingSpec {
        policy_name: Text,
        validation_actions: Vec<Text>,
        match_resources: Option<MatchResources>,
    }
}
