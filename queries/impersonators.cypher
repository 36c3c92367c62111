// Who may impersonate others.
// id: impersonators
// group: RBAC hygiene
// severity: critical
// attack: T1550
// fix: drop impersonate, or name the users and groups
MATCH (who:Identity)-[holds:HOLDS]->(grant:Grant)-[:COVERS*0..1]->(:Grant)
      -[step:IDENTITY_IMPERSONATE]->(other:Identity)
WHERE who.id <> 'Group/system:masters' AND NOT (who.id =~ '(ServiceAccount/kube-system/|.*/system:).*' AND none(fact IN holds.evidence
      WHERE fact CONTAINS 'RoleBinding/' AND NOT fact =~ '(Cluster|)RoleBinding/([^/]*/|)system:.*'))
RETURN who.id AS who, grant.id AS grant, count(DISTINCT other) AS identities, collect(DISTINCT other.id)[..10] AS some
ORDER BY who, grant;
