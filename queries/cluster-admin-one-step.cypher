// What is one step from cluster-admin, what only Kubernetes itself holds aside.
// id: cluster-admin-one-step
// group: cluster-admin
// severity: critical
// attack: T1078.004 T1098
// fix: `beachhead explain` on the technique says how to stop it
MATCH (position)-[step]->(:ClusterAdmin)
WHERE NOT (position:Grant AND NOT EXISTS {
        MATCH (who:Identity)-[holds:HOLDS]->(:Grant)-[:COVERS*0..1]->(position)
        WHERE who.id <> 'Group/system:masters' AND NOT (who.id =~ '(ServiceAccount/kube-system/|.*/system:).*' AND none(fact IN holds.evidence
      WHERE fact CONTAINS 'RoleBinding/' AND NOT fact =~ '(Cluster|)RoleBinding/([^/]*/|)system:.*')) })
RETURN position.id AS position, type(step) AS technique, step.requires AS requires, step.condition AS condition
ORDER BY position, technique;
