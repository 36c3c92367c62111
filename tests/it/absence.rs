//! Why techniques are absent: the preconditions and mitigations that are named for a pod.

use beachhead::collect::read_text;
use beachhead::model::ObjectId;
use beachhead::techniques::{Absence, technique, why_absent};
use expect_test::{Expect, expect};

fn check(id: &str, spec: &str, expected: &Expect) {
    let text =
        format!("apiVersion: v1\nkind: Pod\nmetadata: {{ namespace: shop, name: web }}\nspec: {spec}\n");
    let (cluster, _) = read_text("pod.yaml", &text, "default");
    let technique = technique(id).unwrap();
    let answer = match why_absent(technique, &cluster, &ObjectId::new("Pod", "shop", "web")) {
        Absence::Present(steps) => format!("works, {} step", steps.len()),
        Absence::Because(reasons) => reasons.join("\n"),
        Absence::Elsewhere => "elsewhere".to_owned(),
    };
    expected.assert_eq(&answer);
}

#[test]
fn every_precondition_that_fails_is_named() {
    check(
        "CE_NSENTER",
        "{ containers: [{ name: app, image: app, securityContext: { runAsUser: 1000 } }] }",
        &expect![[r#"
            no container of it is privileged
            it does not share the node's process namespace (hostPID)
            its process is another user than 0 (runAsUser, runAsNonRoot)"#]],
    );
    check(
        "CE_BPF",
        "{ containers: [{ name: app, image: app, securityContext: { capabilities: { add: [BPF] } } }] }",
        &expect!["no container has the capability PERFMON"],
    );
    check(
        "EXPLOIT_HOST_READ",
        "{ containers: [{ name: app, image: app }] }",
        &expect!["it does not mount the node's root directory or what of it matters, writable"],
    );
}

#[test]
fn a_mitigation_that_holds_is_named() {
    check(
        "CE_PRIV_MOUNT",
        "{ hostUsers: false, containers: [{ name: app, image: app, securityContext: { privileged: true } }] }",
        &expect!["it has a user namespace of its own (hostUsers: false)"],
    );
    check(
        "CE_PRIV_MOUNT",
        "{ runtimeClassName: gvisor, containers: [{ name: app, image: app, securityContext: { privileged: true } }] }",
        &expect!["it runs on a kernel of its own (runtimeClassName)"],
    );
    check(
        "TOKEN_MOUNT",
        "{ automountServiceAccountToken: false, containers: [{ name: app, image: app }] }",
        &expect!["its token is not mounted (automountServiceAccountToken: false)"],
    );
    check(
        "EXPLOIT_HOST_WRITE",
        "{ containers: [{ name: app, image: app, volumeMounts: [{ name: etc, mountPath: /etc, readOnly: true }] }], volumes: [{ name: etc, hostPath: { path: /etc } }] }",
        &expect!["it mounts directories of the node read-only"],
    );
}

#[test]
fn what_works_or_lies_elsewhere_is_said() {
    check(
        "CE_PRIV_MOUNT",
        "{ containers: [{ name: app, image: app, securityContext: { privileged: true } }] }",
        &expect!["works, 1 step"],
    );
    check(
        "NODE_CONTROL_PLANE",
        "{ containers: [{ name: app, image: app }] }",
        &expect!["elsewhere"],
    );
}
