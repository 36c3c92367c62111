// Who may write webhooks, policies or API services that see and change what others send.
// id: admission-writers
// group: RBAC hygiene
// severity: critical
// attack: T1562.001 T1556
// fix: keep these rights to cluster-admin
MATCH (who:Identity)-[holds:HOLDS]->(grant:Grant)-[:COVERS*0..1]->(:Grant)
      -[step:WEBHOOK_MUTATE|WEBHOOK_READ|POLICY_MUTATE|API_SERVICE_REPLACE|GUARD_REMOVE]->()
WHERE who.id <> 'Group/system:masters' AND NOT (who.id =~ '(ServiceAccount/kube-system/|.*/system:).*' AND none(fact IN holds.evidence
      WHERE fact CONTAINS 'RoleBinding/' AND NOT fact =~ '(Cluster|)RoleBinding/([^/]*/|)system:.*'))
RETURN who.id AS who, collect(DISTINCT grant.id) AS grants, collect(DISTINCT type(step)) AS techniques
ORDER BY who;
