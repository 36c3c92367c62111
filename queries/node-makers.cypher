// Who may create pods that break out to a node, or volumes on one.
// id: node-makers
// group: escapes
// severity: critical
// attack: T1610 T1611
// fix: enforce the baseline Pod Security Standard in the namespaces of the right
MATCH (who:Identity)-[holds:HOLDS]->(grant:Grant)-[:COVERS*0..1]->(:Grant)
      -[step:POD_CREATE_PRIVILEGED|POD_CREATE_FLAW|POD_CREATE_CLAIM|VOLUME_CREATE]->(node:Node)
WHERE who.id <> 'Group/system:masters' AND NOT (who.id =~ '(ServiceAccount/kube-system/|.*/system:).*' AND none(fact IN holds.evidence
      WHERE fact CONTAINS 'RoleBinding/' AND NOT fact =~ '(Cluster|)RoleBinding/([^/]*/|)system:.*'))
RETURN DISTINCT who.id AS who, grant.id AS grant, type(step) AS technique, step.condition AS condition
ORDER BY who, grant, technique, condition;
