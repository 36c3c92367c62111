// Nodes on which someone from the internet can become root.
// id: nodes-from-internet
// group: escapes
// severity: critical
// attack: T1190 T1611
// fix: enforce the baseline Pod Security Standard on what the internet reaches
MATCH p = ANY CHEAPEST (:Internet)-[step COST step.effort + CASE type(step) WHEN 'TALKS_TO' THEN 1000 ELSE 1 END]->+(node:Node)
WHERE NOT node.name IN ['*', '~held']
RETURN node.id AS node, length(p) AS steps, p AS path
ORDER BY steps, node;
