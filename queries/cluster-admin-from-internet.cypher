// Whether cluster-admin can be had from the internet, and one chain of steps to it.
// id: cluster-admin-from-internet
// group: cluster-admin
// severity: critical
// attack: T1190
// fix: `beachhead paths --to ClusterAdmin` shows everything the chain needs; stop any step of that
MATCH p = ANY CHEAPEST (:Internet)-[step COST step.effort + CASE type(step) WHEN 'TALKS_TO' THEN 1000 ELSE 1 END]->+(:ClusterAdmin)
RETURN length(p) AS steps, p AS path;
