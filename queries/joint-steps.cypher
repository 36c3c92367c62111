// Steps that need several things at once, where a way can be cut at the cheapest of them.
// id: joint-steps
// group: choke points
// severity: info
// attack:
// fix: denying any one of them stops the step
MATCH (premise)-[step]->(conclusion)
WHERE step.requires > 1 AND type(step) <> 'IDENTITY_ASSUME'
RETURN conclusion.id AS conclusion, type(step) AS technique, collect(DISTINCT premise.id) AS needs
ORDER BY conclusion, technique;
