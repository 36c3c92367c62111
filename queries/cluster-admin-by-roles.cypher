// Who may bind or escalate roles, and so give themselves any right.
// id: cluster-admin-by-roles
// group: cluster-admin
// severity: critical
// attack: T1098.006
// fix: drop bind and escalate, and who may write roles and bindings
MATCH (who:Identity)-[holds:HOLDS]->(grant:Grant)-[:COVERS*0..1]->(:Grant)
      -[step:ROLE_BIND|ROLE_ESCALATE]->(gained)
WHERE NOT (who.id =~ '(ServiceAccount/kube-system/|.*/system:).*' AND none(fact IN holds.evidence
      WHERE fact CONTAINS 'RoleBinding/' AND NOT fact =~ '(Cluster|)RoleBinding/([^/]*/|)system:.*'))
RETURN DISTINCT who.id AS who, grant.id AS grant, type(step) AS technique, gained.id AS gained
ORDER BY who, grant, gained;
