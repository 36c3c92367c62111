// Secrets and ConfigMaps that hold the password of a database.
// id: database-passwords
// group: databases
// severity: medium
// attack: T1552.007
// fix: keep each password in one Secret that only its clients may read
MATCH (holder)-[step:DATABASE_PASSWORD]->(:Credential)-[:DATABASE_LOGIN]->(database:Database)
RETURN DISTINCT database.id AS database, holder.id AS heldIn, step.certainty AS certainty
ORDER BY database, heldIn, certainty;
