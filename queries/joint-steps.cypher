// Steps that need several things at once.
// severity: info
// attack:
// fix: denying any one of them stops the step
MATCH (premise)-[step]->(conclusion)
WHERE step.requires > 1
RETURN conclusion.id AS conclusion, type(step) AS technique, collect(DISTINCT premise.id) AS needs
ORDER BY conclusion, technique;
