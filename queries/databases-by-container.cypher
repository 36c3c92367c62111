// From how many containers other than its own each database falls.
// id: databases-by-container
// group: databases
// severity: medium
// attack: T1213
// fix: begin with the database that most containers lead to
MATCH (container:Container)
WITH count(container) AS containers
CALL {
  MATCH ANY SHORTEST (container:Container)-->+(database:Database)
  RETURN database, count(container) AS lead
}
WITH containers, database,
     lead - COUNT { MATCH (own:Container)-[:DATABASE_LOCAL]->(database) RETURN DISTINCT own } AS leadToIt
WHERE leadToIt > 0
RETURN database.id AS database, leadToIt, containers
ORDER BY leadToIt DESC, database;
