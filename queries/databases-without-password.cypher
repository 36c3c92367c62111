// Databases that ask whoever reaches their port for nothing.
// id: databases-without-password
// group: databases
// severity: high
// attack: T1213
// fix: set a password, and let a network policy admit the clients only
MATCH (where)-[step:DATABASE_OPEN]->(database:Database)
RETURN database.id AS database, where.id AS reachedThrough, step.condition AS condition
ORDER BY database, reachedThrough, condition;
