// From how many containers other than its own each database falls.
// id: databases-by-container
// group: databases
// severity: medium
// attack: T1213
// fix: begin with the database that most containers lead to
MATCH (container:Container)
WITH count(container) AS containers
MATCH ANY SHORTEST (container:Container)-->+(database:Database)
WHERE NOT EXISTS { (container)-[:DATABASE_LOCAL]->(database) }
RETURN database.id AS database, count(container) AS leadToIt, containers
ORDER BY leadToIt DESC, database;
