// What the internet reaches or breaks into in one step.
// severity: info
// attack: T1190
// fix: expose only what must be exposed
MATCH (:Internet)-[step]->(position)
RETURN position.id AS position, type(step) AS technique, step.effort AS effort
ORDER BY position, technique;
