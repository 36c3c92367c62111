// Which containers hold the password of which database.
// id: database-clients
// group: databases
// severity: info
// attack: T1552
// fix: take it from the containers that need no connection
MATCH (container)-[:SECRET_IN_ENV|SECRET_IN_VOLUME|CONFIG_MAP_IN_ENV|CONFIG_MAP_IN_VOLUME]->()
      -[:HAS_KEY*0..1]->()-[:DATABASE_PASSWORD]->(:Credential)-[:DATABASE_LOGIN]->(database:Database)
WHERE container:Container OR container:Pod
RETURN database.id AS database, count(DISTINCT container) AS containers, collect(DISTINCT container.id) AS who
ORDER BY containers DESC, database;
