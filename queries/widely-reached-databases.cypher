// From how many groups of pods the port of each database is reached.
// id: widely-reached-databases
// group: network
// severity: medium
// attack: T1046
// fix: let a network policy admit the clients only
MATCH (port)-[:DATABASE_OPEN|DATABASE_LOGIN]->(database:Database)
WHERE port:Port OR port:Network
WITH DISTINCT port, database
MATCH (port)<-[:REACHES*0..6]-(group:Network)
WITH DISTINCT database, group
WHERE EXISTS { (:Container)-[:SENDS_AS]->(group) }
RETURN database.id AS database, count(group) AS groups, collect(group.id)[..10] AS some
ORDER BY groups DESC, database;
