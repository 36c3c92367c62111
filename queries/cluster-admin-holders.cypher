// Who may do everything by a binding that Kubernetes does not bring along.
// id: cluster-admin-holders
// group: cluster-admin
// severity: critical
// attack: T1078
// fix: remove the binding, or bind a role with the verbs that are used
MATCH (who:Identity)-[holds:HOLDS]->(grant:Grant)-[:CLUSTER_ADMIN]->(:ClusterAdmin)
WHERE who.id <> 'Group/system:masters'
RETURN who.id AS who, grant.id AS grant, holds.evidence AS because
ORDER BY who, grant;
