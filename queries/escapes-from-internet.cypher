// Containers that the internet comes to and that can break out to their node.
// id: escapes-from-internet
// group: escapes
// severity: critical
// attack: T1190 T1611
// fix: take away what lets the container break out; `beachhead explain` on the technique says what that is
MATCH p = ANY SHORTEST (:Internet)-->+(container:Container|Pod)
MATCH (container)-[step]->(node:Node)
WHERE step.family IN ['escape', 'host']
RETURN container.id AS container, node.id AS node, collect(DISTINCT type(step)) AS techniques, length(p) AS steps
ORDER BY steps, container, node;
