// Nodes on which someone from the internet can become root.
// severity: critical
// attack: T1190 T1611
// fix: enforce the baseline Pod Security Standard on what the internet reaches
MATCH p = shortestPath((:Internet)-[*]->(node:Node))
WHERE NOT node.name IN ['*', '~held']
RETURN node.id AS node, length(p) AS steps, p AS path
ORDER BY steps, node;
