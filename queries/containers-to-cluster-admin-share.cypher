// The share of containers from which cluster-admin falls, by namespace.
// id: containers-to-cluster-admin-share
// group: posture metrics
// severity: high
// attack: T1078
// fix: watch the share from one change to the next
MATCH (container:Container)
OPTIONAL MATCH ANY SHORTEST (container)-->+(admin:ClusterAdmin)
WITH container.namespace AS namespace, count(admin) AS lead, count(container) AS containers
WHERE lead > 0
RETURN namespace, lead, containers, round(100.0 * lead / containers) AS percent
ORDER BY percent DESC, namespace;
