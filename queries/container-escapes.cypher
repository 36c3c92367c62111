// Containers that can break out to their node, and by what.
// id: container-escapes
// group: escapes
// severity: high
// attack: T1611
// fix: enforce the baseline Pod Security Standard
MATCH (container)-[step]->(node:Node)
WHERE (container:Container OR container:Pod) AND step.family IN ['escape', 'host']
RETURN container.id AS container, node.id AS node, collect(DISTINCT type(step)) AS techniques, min(step.effort) AS effort
ORDER BY effort, container, node;
