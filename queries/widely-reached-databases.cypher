// From how many groups of pods the port of each database is reached.
// id: widely-reached-databases
// group: network
// severity: medium
// attack: T1046
// fix: let a network policy admit the clients only
MATCH (port)-[:DATABASE_OPEN|DATABASE_LOGIN]->(database:Database)
WHERE port:Port OR port:Network
MATCH shortestPath((group:Network)-[:REACHES*0..6]->(port))
WHERE EXISTS { (:Container)-[:SENDS_AS]->(group) }
RETURN database.id AS database, count(DISTINCT group) AS groups, collect(DISTINCT group.id)[..10] AS some
ORDER BY groups DESC, database;
