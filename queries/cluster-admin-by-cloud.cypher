// Cloud roles and mappings of them that are cluster-admin.
// id: cluster-admin-by-cloud
// group: cluster-admin
// severity: high
// attack: T1078.004
// fix: map the role to a group with fewer rights, and guard who may change the mapping
MATCH (by)-[step:CLOUD_CLUSTER_ADMIN|AWS_AUTH_PATCH]->(:ClusterAdmin)
RETURN by.id AS by, type(step) AS technique, step.condition AS condition,
       [(who:Identity)-[:HOLDS]->(:Grant)-[:COVERS*0..1]->(by) | who.id] AS heldBy
ORDER BY by, technique;
