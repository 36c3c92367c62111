// What the internet reaches or breaks into in one step, the API server aside.
// id: entry-points
// group: entry points
// severity: info
// attack: T1190
// fix: expose only what must be exposed
MATCH (:Internet)-[step]->(position)
WHERE type(step) <> 'TALKS_TO'
RETURN position.id AS position, type(step) AS technique, step.effort AS effort, step.condition AS condition
ORDER BY position, technique;
