//! The coverage page, `docs/coverage.md`: every technique with its ids, beside what other tools have of it.
//!
//! The page is written from the catalogue with `UPDATE_EXPECT=1`; this test keeps it current.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::PathBuf;

use beachhead::techniques::catalogue;
use expect_test::expect_file;

/// What other tools have, by technique; a word in brackets is a part of it, or it with a mistake.
///
/// Of the four tools: KubeHound 1.6.7, IceKube, kubesplaining and rbac-police.
const OTHERS: &[(&str, &str)] = &[
    ("CE_PRIV_MOUNT", "KubeHound, IceKube, kubesplaining"),
    ("CE_NSENTER", "KubeHound, IceKube, kubesplaining"),
    ("CE_SYS_PTRACE", "(KubeHound), (IceKube)"),
    ("CE_SYS_ADMIN", "(IceKube)"),
    ("CE_MODULE_LOAD", "(KubeHound), IceKube"),
    ("CE_SYS_ADMIN_MOUNT", "IceKube, (kubesplaining)"),
    ("CE_DAC_READ_SEARCH", "IceKube"),
    ("EXPLOIT_HOST_WRITE", "(KubeHound), IceKube, kubesplaining"),
    ("EXPLOIT_HOST_READ", "(KubeHound), kubesplaining"),
    ("EXPLOIT_HOST_TRAVERSE", "(KubeHound), IceKube, kubesplaining"),
    ("EXPLOIT_RUNTIME_SOCKET", "IceKube, kubesplaining"),
    ("CE_UMH_CORE_PATTERN", "(KubeHound)"),
    ("CE_VAR_LOG_SYMLINK", "(KubeHound), (IceKube)"),
    ("SHARE_PS_NAMESPACE", "(KubeHound)"),
    ("TOKEN_STEAL", "(KubeHound)"),
    ("TOKEN_MOUNT", "(KubeHound), IceKube, kubesplaining"),
    ("IDENTITY_ASSUME", "(KubeHound), IceKube, kubesplaining"),
    ("POD_ATTACH", "KubeHound, (rbac-police)"),
    ("EXPLOIT_PUBLIC_APP", "(KubeHound)"),
    ("POD_CREATE", "IceKube, kubesplaining, rbac-police"),
    (
        "POD_CREATE_PRIVILEGED",
        "(KubeHound), IceKube, kubesplaining, rbac-police",
    ),
    (
        "WORKLOAD_PATCH",
        "(KubeHound), IceKube, kubesplaining, (rbac-police)",
    ),
    ("VOLUME_CREATE", "IceKube, (kubesplaining)"),
    ("POD_EXEC", "(KubeHound), IceKube, kubesplaining, rbac-police"),
    ("POD_PATCH", "(KubeHound), IceKube, kubesplaining, rbac-police"),
    ("POD_DEBUG", "(IceKube), kubesplaining, rbac-police"),
    ("POD_STDIN", "kubesplaining"),
    ("KUBELET_EXEC", "IceKube, kubesplaining, (rbac-police)"),
    ("PORT_FORWARD", "kubesplaining"),
    ("SECRET_READ", "IceKube, kubesplaining, rbac-police"),
    ("TOKEN_REQUEST", "IceKube, kubesplaining, rbac-police"),
    ("TOKEN_SECRET_CREATE", "IceKube, kubesplaining, rbac-police"),
    ("TOKEN_SECRET", "(KubeHound), IceKube, kubesplaining, rbac-police"),
    ("IDENTITY_IMPERSONATE", "IceKube, kubesplaining, rbac-police"),
    ("ROLE_ESCALATE", "IceKube, kubesplaining, rbac-police"),
    ("ROLE_BIND", "(KubeHound), kubesplaining, (rbac-police)"),
    ("CERTIFICATE_APPROVE", "(IceKube), kubesplaining, rbac-police"),
    ("WEBHOOK_MUTATE", "(kubesplaining), rbac-police"),
    ("CONFUSED_DEPUTY", "(kubesplaining)"),
    ("POD_STEAL", "(kubesplaining), (rbac-police)"),
    ("CLUSTER_ADMIN", "KubeHound, IceKube, kubesplaining, rbac-police"),
];

fn page() -> String {
    let mut page = String::from(
        "# Coverage\n\nEvery technique of the catalogue, with the ids of ATT&CK for Containers, Microsoft's threat matrix for \
         Kubernetes, OWASP's Kubernetes Top 10 (2025) and the CIS Kubernetes Benchmark, and what KubeHound, IceKube, \
         kubesplaining and rbac-police have of it. In brackets stands a part of a technique, or one that is drawn where it does \
         not work. `beachhead explain TECHNIQUE` prints its page.\n\nThis page is written from the catalogue: \
         `UPDATE_EXPECT=1 cargo test --test it coverage`.\n",
    );
    let mut families = Vec::new();
    for technique in catalogue() {
        if !families.contains(&technique.family) {
            families.push(technique.family);
        }
    }
    for family in families {
        let _ = write!(
            page,
            "\n## {}\n\n| technique | | ATT&CK | Microsoft | OWASP | CIS | others |\n|---|---|---|---|---|---|---|\n",
            family.as_str()
        );
        for technique in catalogue().filter(|technique| technique.family == family) {
            let others = OTHERS.iter().find(|(id, _)| *id == technique.id);
            let _ = writeln!(
                page,
                "| `{}` | {} | {} | {} | {} | {} | {} |",
                technique.id,
                technique.title,
                technique.mitre.join(", "),
                technique.microsoft.join(", "),
                technique.owasp.join(", "),
                technique.cis.join(", "),
                others.map_or("", |(_, others)| others)
            );
        }
    }
    let unique = |of: fn(&beachhead::techniques::Technique) -> &'static [&'static str]| {
        let all: BTreeSet<_> = catalogue().flat_map(of).collect();
        all.len()
    };
    let _ = write!(
        page,
        "\n{} techniques; {} of ATT&CK, {} of Microsoft's matrix, {} of OWASP's ten.\n",
        catalogue().count(),
        unique(|technique| technique.mitre),
        unique(|technique| technique.microsoft),
        unique(|technique| technique.owasp)
    );
    page
}

#[test]
fn the_coverage_page_is_current() {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("docs/coverage.md");
    expect_file![path].assert_eq(&page());
}

#[test]
fn other_tools_are_compared_by_techniques_that_exist() {
    let known: BTreeSet<_> = catalogue().map(|technique| technique.id).collect();
    for (id, _) in OTHERS {
        assert!(known.contains(id), "{id} is no technique");
    }
}
