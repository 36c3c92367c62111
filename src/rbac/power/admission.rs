//! Powers over what the API server asks before it stores an object, and over the APIs it serves.
//!
//! **Trap.** A webhook is called for every object, so its owner also reads what passes through, new Secrets
//! too; policies in CEL only change or refuse.

use super::{power_table, wide};

const ADMISSION: &str = "admissionregistration.k8s.io";

power_table! {
    /// A change to every later pod, and a look at every later object.
    WRITE_MUTATING_WEBHOOKS = "write-mutating-webhooks", "write mutating webhooks",
        [wide("create update patch", ADMISSION, "mutatingwebhookconfigurations")];
    /// An end to what a webhook adds.
    DELETE_MUTATING_WEBHOOKS = "delete-mutating-webhooks", "delete mutating webhooks",
        [wide("delete deletecollection", ADMISSION, "mutatingwebhookconfigurations")];
    /// A look at every later object.
    WRITE_VALIDATING_WEBHOOKS = "write-validating-webhooks", "write validating webhooks",
        [wide("create update patch", ADMISSION, "validatingwebhookconfigurations")];
    /// An end to guards.
    WEAKEN_VALIDATING_WEBHOOKS = "weaken-validating-webhooks", "change or delete validating webhooks",
        [wide("update patch delete deletecollection", ADMISSION, "validatingwebhookconfigurations")];
    /// A change to every later pod, once bound.
    WRITE_MUTATING_POLICIES = "write-mutating-policies", "write mutating admission policies",
        [wide("create update patch", ADMISSION, "mutatingadmissionpolicies")];
    /// What a mutating policy applies to.
    WRITE_MUTATING_POLICY_BINDINGS = "write-mutating-policy-bindings",
        "write bindings of mutating admission policies",
        [wide("create update patch", ADMISSION, "mutatingadmissionpolicybindings")];
    /// An end to guards.
    WEAKEN_VALIDATING_POLICIES = "weaken-validating-policies",
        "change or delete validating admission policies",
        [wide("update patch delete deletecollection", ADMISSION, "validatingadmissionpolicies")];
    /// An end to guards.
    WEAKEN_VALIDATING_POLICY_BINDINGS = "weaken-validating-policy-bindings",
        "change or delete bindings of validating admission policies",
        [wide("update patch delete deletecollection", ADMISSION, "validatingadmissionpolicybindings")];
    /// A conversion webhook that sees every object of a custom resource.
    UPDATE_RESOURCE_DEFINITIONS = "update-resource-definitions", "change definitions of custom resources",
        [wide("update patch", "apiextensions.k8s.io", "customresourcedefinitions")];
    /// An API group served by the attacker; one that is new is of no use to anyone.
    UPDATE_API_SERVICES = "update-api-services", "change APIServices",
        [wide("update patch", "apiregistration.k8s.io", "apiservices")];
}
