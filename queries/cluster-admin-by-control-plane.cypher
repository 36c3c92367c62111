// Containers that share a node with the control plane and can break out to it.
// id: cluster-admin-by-control-plane
// group: cluster-admin
// severity: critical
// attack: T1611
// fix: keep workloads off these nodes with a taint, or take away what lets them break out
MATCH (container)-[step]->(node:Node)-[:NODE_CONTROL_PLANE]->(:ClusterAdmin)
WHERE (container:Container OR container:Pod) AND container.namespace <> 'kube-system'
RETURN node.id AS node, container.id AS container, collect(DISTINCT type(step)) AS techniques
ORDER BY node, container;
