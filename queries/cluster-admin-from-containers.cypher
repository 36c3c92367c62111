// Containers from which cluster-admin falls, the fewest steps first.
// id: cluster-admin-from-containers
// group: cluster-admin
// severity: high
// attack: T1610 T1078
// fix: give the workload an account of its own with the rights it uses
MATCH p = ANY CHEAPEST (container:Container)-[step COST step.effort + CASE type(step) WHEN 'TALKS_TO' THEN 1000 ELSE 1 END]->+(:ClusterAdmin)
RETURN container.id AS container, length(p) AS steps, p AS path
ORDER BY steps, container;
