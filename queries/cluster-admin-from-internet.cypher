// Whether cluster-admin can be had from the internet, and one chain of steps to it.
// severity: critical
// attack: T1190
// fix: `beachhead paths --to ClusterAdmin` shows everything the chain needs; stop any step of that
MATCH p = shortestPath((:Internet)-[*]->(:ClusterAdmin))
RETURN length(p) AS steps, p AS path;
