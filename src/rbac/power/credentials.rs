//! Powers over secrets, tokens, certificates and other identities.
//!
//! **Trap.** Users and groups are impersonated cluster-wide only; service accounts also by a RoleBinding. A
//! signer's name in a rule may be `domain/*`, which stands for every signer of that domain.

use super::{And, on, power_table, wide};

const AUTHENTICATION: &str = "authentication.k8s.io";
const CERTIFICATES: &str = "certificates.k8s.io";

power_table! {
    /// The values of a Secret whose name is known.
    GET_SECRETS = "get-secrets", "read Secrets by name", [on("get", "", "secrets")];
    /// The values of all Secrets.
    LIST_SECRETS = "list-secrets", "list Secrets with their values", [on("list", "", "secrets")];
    /// The values of all Secrets.
    WATCH_SECRETS = "watch-secrets", "watch Secrets with their values", [on("watch", "", "secrets")];
    /// A token Secret for any service account, or a bootstrap token in `kube-system`.
    CREATE_SECRETS = "create-secrets", "create Secrets", [on("create", "", "secrets")];
    /// What others read from a Secret.
    UPDATE_SECRETS = "update-secrets", "change Secrets", [on("update patch", "", "secrets")];
    /// A token of a service account, for any audience.
    CREATE_TOKENS = "create-tokens", "make tokens of service accounts",
        [on("create", "", "serviceaccounts/token")];
    /// A service account with annotations that a cloud trusts, or one that was deleted.
    CREATE_SERVICE_ACCOUNTS = "create-service-accounts", "create service accounts",
        [on("create", "", "serviceaccounts")];
    /// Annotations of a service account that a cloud trusts.
    UPDATE_SERVICE_ACCOUNTS = "update-service-accounts", "change service accounts",
        [on("update patch", "", "serviceaccounts")];
    /// Acting as a user.
    IMPERSONATE_USERS = "impersonate-users", "impersonate users", [wide("impersonate", "", "users")];
    /// Acting as a member of a group, together with some user.
    IMPERSONATE_GROUPS = "impersonate-groups", "impersonate groups", [wide("impersonate", "", "groups")];
    /// Acting as a service account.
    IMPERSONATE_SERVICE_ACCOUNTS = "impersonate-service-accounts", "impersonate service accounts",
        [on("impersonate", "", "serviceaccounts")];
    /// Extra fields of the user, which only webhooks read.
    IMPERSONATE_EXTRAS = "impersonate-extras", "impersonate extra fields of users",
        [wide("impersonate", AUTHENTICATION, "userextras/?")];
    /// The uid of the user, which only webhooks read.
    IMPERSONATE_UIDS = "impersonate-uids", "impersonate uids", [wide("impersonate", AUTHENTICATION, "uids")];
    /// Acting as a user, for the verbs that `impersonate-on:user-info:VERB` allows beside this (from 1.35).
    ///
    /// Source: <https://www.kubernetes.dev/resources/keps/5284/>
    IMPERSONATE_USER_INFO = "impersonate-user-info", "impersonate users for some actions",
        [wide("impersonate:user-info", AUTHENTICATION, "users")];
    /// Acting as a member of a group, for some verbs.
    IMPERSONATE_GROUP_INFO = "impersonate-group-info", "impersonate groups for some actions",
        [wide("impersonate:user-info", AUTHENTICATION, "groups")];
    /// Acting as a service account, for the verbs that `impersonate-on:serviceaccount:VERB` allows beside this.
    IMPERSONATE_SERVICE_ACCOUNT_INFO = "impersonate-service-account-info",
        "impersonate service accounts for some actions",
        [on("impersonate:serviceaccount", AUTHENTICATION, "serviceaccounts")];
    /// Acting as any node, for the verbs that `impersonate-on:arbitrary-node:VERB` allows beside this.
    IMPERSONATE_NODES = "impersonate-nodes", "impersonate nodes for some actions",
        [wide("impersonate:arbitrary-node", AUTHENTICATION, "nodes")];
    /// Acting as the node on which the pod runs, for some verbs.
    IMPERSONATE_OWN_NODE = "impersonate-own-node", "impersonate the node of the own pod for some actions",
        [wide("impersonate:associated-node", AUTHENTICATION, "nodes")];
    /// A request for a client certificate of any name.
    CREATE_SIGNING_REQUESTS = "create-signing-requests", "request certificates",
        [wide("create", CERTIFICATES, "certificatesigningrequests")];
    /// Approval of a request; the scope's name is the signer.
    APPROVE_SIGNING_REQUESTS = "approve-signing-requests", "approve certificate requests for signers",
        [wide("update patch", CERTIFICATES, "certificatesigningrequests/approval")
            .and(And::Other("approve", CERTIFICATES, "signers"))];
    /// Issuing of a certificate made elsewhere; the scope's name is the signer, whose key it takes.
    SIGN_SIGNING_REQUESTS = "sign-signing-requests", "issue certificates in the name of signers",
        [wide("update patch", CERTIFICATES, "certificatesigningrequests/status")
            .and(And::Other("sign", CERTIFICATES, "signers"))];
    /// Certificate authorities that pods trust.
    WRITE_TRUST_BUNDLES = "write-trust-bundles", "write ClusterTrustBundles",
        [wide("create update patch", CERTIFICATES, "clustertrustbundles")];
    /// Certificates for pods.
    CREATE_POD_CERTIFICATES = "create-pod-certificates", "request certificates for pods",
        [on("create", CERTIFICATES, "podcertificaterequests")];
    /// Settings, which often hold credentials.
    READ_CONFIG_MAPS = "read-config-maps", "read ConfigMaps", [on("get list watch", "", "configmaps")];
    /// New settings.
    CREATE_CONFIG_MAPS = "create-config-maps", "create ConfigMaps", [on("create", "", "configmaps")];
    /// Settings that others read: DNS, AWS identities, scripts.
    UPDATE_CONFIG_MAPS = "update-config-maps", "change ConfigMaps", [on("update patch", "", "configmaps")];
}
