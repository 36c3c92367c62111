// Secrets and ConfigMaps that open more than one database.
// id: databases-with-one-password
// group: databases
// severity: medium
// attack: T1078
// fix: give each database a password of its own
MATCH (holder)-[:DATABASE_PASSWORD]->(:Credential)-[:DATABASE_LOGIN]->(database:Database)
WITH holder, collect(DISTINCT database.id) AS databases
WHERE size(databases) > 1
RETURN holder.id AS heldIn, databases
ORDER BY size(databases) DESC, heldIn;
