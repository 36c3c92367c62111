// Containers that get into another one through shared processes.
// id: shared-processes
// group: escapes
// severity: low
// attack: T1057 T1055
// fix: unset shareProcessNamespace and hostPID, or run the containers as different users
MATCH (from:Container)-[step]->(to:Container)
WHERE from <> to
RETURN from.id AS container, to.id AS leadsTo, type(step) AS technique, step.condition AS condition
ORDER BY container, leadsTo, technique;
