// Identities and grants that are one step from cluster-admin.
// severity: critical
// attack: T1078
// fix: remove the binding, or bind a role with the verbs that are used
MATCH (position)-[step]->(:ClusterAdmin)
RETURN position.id AS position, type(step) AS technique, step.requires AS requires
ORDER BY position, technique;
