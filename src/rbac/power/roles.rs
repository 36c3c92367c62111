//! Powers that give rights: bind and escalate.
//!
//! **Trap.** To write a binding or role alone gives nothing new: the API server refuses to hand out rights that
//! the writer lacks. `bind` and `escalate` lift that, and are asked about roles, in the binding's namespace.
//! Source: <https://kubernetes.io/docs/reference/access-authn-authz/rbac/#privilege-escalation-prevention-and-bootstrapping>

use super::{And, on, power_table, wide};

const RBAC: &str = "rbac.authorization.k8s.io";
const CLUSTER_ROLES: And = And::Other("bind", RBAC, "clusterroles");
const ROLES: And = And::Other("bind", RBAC, "roles");

power_table! {
    /// Any ClusterRole for anyone in the whole cluster; the scope's name is the role.
    BIND_CLUSTER_ROLES = "bind-cluster-roles", "bind ClusterRoles in the whole cluster",
        [wide("create", RBAC, "clusterrolebindings").and(CLUSTER_ROLES)];
    /// Any ClusterRole for anyone in a namespace; the scope's name is the role.
    BIND_CLUSTER_ROLES_IN_NAMESPACES = "bind-cluster-roles-in-namespaces", "bind ClusterRoles in namespaces",
        [on("create", RBAC, "rolebindings").and(CLUSTER_ROLES)];
    /// Any Role of a namespace for anyone; the scope's name is the role.
    BIND_ROLES = "bind-roles", "bind Roles", [on("create", RBAC, "rolebindings").and(ROLES)];
    /// Further subjects of a ClusterRoleBinding; the scope's name is the binding.
    EXTEND_CLUSTER_ROLE_BINDINGS = "extend-cluster-role-bindings", "add subjects to ClusterRoleBindings",
        [wide("update patch", RBAC, "clusterrolebindings").and(And::BoundRole("clusterroles"))];
    /// Further subjects of RoleBindings that refer to ClusterRoles; the scope's name is the binding.
    EXTEND_BINDINGS_OF_CLUSTER_ROLES = "extend-bindings-of-cluster-roles",
        "add subjects to RoleBindings of ClusterRoles",
        [on("update patch", RBAC, "rolebindings").and(And::BoundRole("clusterroles"))];
    /// Further subjects of RoleBindings that refer to Roles; the scope's name is the binding.
    EXTEND_BINDINGS_OF_ROLES = "extend-bindings-of-roles", "add subjects to RoleBindings of Roles",
        [on("update patch", RBAC, "rolebindings").and(And::BoundRole("roles"))];
    /// Any right in a ClusterRole that someone is bound to.
    ESCALATE_CLUSTER_ROLES = "escalate-cluster-roles", "add any right to ClusterRoles",
        [wide("update patch", RBAC, "clusterroles").and(And::Same("escalate"))];
    /// Any right in a Role that someone is bound to.
    ESCALATE_ROLES = "escalate-roles", "add any right to Roles",
        [on("update patch", RBAC, "roles").and(And::Same("escalate"))];
    /// A new ClusterRole with any right.
    CREATE_CLUSTER_ROLES = "create-cluster-roles", "create ClusterRoles with any right",
        [wide("create", RBAC, "clusterroles").and(And::Same("escalate"))];
    /// A new Role with any right.
    CREATE_ROLES = "create-roles", "create Roles with any right",
        [on("create", RBAC, "roles").and(And::Same("escalate"))];
}
