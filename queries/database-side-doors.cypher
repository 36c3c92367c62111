// Ways to the data of a database that need none of its passwords: volumes, consoles, backups.
// id: database-side-doors
// group: databases
// severity: high
// attack: T1213
// fix: `beachhead explain` on the technique says how to close it
MATCH (by)-[step]->(database:Database)
WHERE step.family = 'datastore' AND NOT type(step) IN ['DATABASE_OPEN', 'DATABASE_LOGIN', 'DATABASE_LOCAL']
RETURN database.id AS database, type(step) AS technique, by.id AS by, [(who:Identity)-[:HOLDS]->(:Grant)-[:COVERS*0..1]->(by) | who.id] AS heldBy
ORDER BY database, technique, by;
