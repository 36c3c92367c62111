// Databases whose data can be had from the internet.
// severity: critical
// attack: T1190 T1213
// fix: close the port with a network policy, or take the credential out of reach
MATCH p = shortestPath((:Internet)-[*]->(database:Database))
RETURN database.id AS database, length(p) AS steps, p AS path
ORDER BY steps, database;
