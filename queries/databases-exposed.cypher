// Databases that listen on a port which the outside reaches.
// id: databases-exposed
// group: databases
// severity: high
// attack: T1190
// fix: take the Service off the outside; let clients come through the application
MATCH (:Internet)-[exposed:EXPOSED]->(port:Port)-[step]->(database:Database)
RETURN DISTINCT database.id AS database, port.id AS port, exposed.evidence AS through,
       type(step) = 'DATABASE_OPEN' AS needsNoPassword
ORDER BY database, port;
