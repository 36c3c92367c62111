// Who holds most dangerous rights, what Kubernetes brings along aside.
// id: widest-accounts
// group: RBAC hygiene
// severity: info
// attack: T1078
// fix: begin with the first: bind what it uses
MATCH (who:Identity)-[holds:HOLDS]->(grant:Grant)
WHERE who.id <> 'Group/system:masters' AND NOT (who.id =~ '(ServiceAccount/kube-system/|.*/system:).*' AND none(fact IN holds.evidence
      WHERE fact CONTAINS 'RoleBinding/' AND NOT fact =~ '(Cluster|)RoleBinding/([^/]*/|)system:.*'))
RETURN who.id AS who, count(DISTINCT grant) AS rights, count(DISTINCT split(grant.id, '/')[1]) AS kinds
ORDER BY rights DESC, who
LIMIT 20;
