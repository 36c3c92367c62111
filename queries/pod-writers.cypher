// Who may run code in pods: create, change, exec, attach or debug them.
// id: pod-writers
// group: RBAC hygiene
// severity: high
// attack: T1609 T1610
// fix: let a pipeline deploy; nobody needs to exec in production
MATCH (who:Identity)-[holds:HOLDS]->(grant:Grant)-[:COVERS*0..1]->(:Grant)-[step]->()
WHERE step.family = 'workload'
  AND who.id <> 'Group/system:masters' AND NOT (who.id =~ '(ServiceAccount/kube-system/|.*/system:).*' AND none(fact IN holds.evidence
      WHERE fact CONTAINS 'RoleBinding/' AND NOT fact =~ '(Cluster|)RoleBinding/([^/]*/|)system:.*'))
RETURN who.id AS who, collect(DISTINCT type(step)) AS techniques, collect(DISTINCT grant.id) AS grants
ORDER BY who;
