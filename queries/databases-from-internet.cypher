// Databases whose data can be had from the internet, and one chain of steps to each.
// id: databases-from-internet
// group: databases
// severity: critical
// attack: T1190 T1213
// fix: close the port with a network policy, or take the credential out of reach
MATCH p = ANY CHEAPEST (:Internet)-[step COST step.effort + CASE type(step) WHEN 'TALKS_TO' THEN 1000 ELSE 1 END]->+(database:Database)
RETURN database.id AS database, length(p) AS steps, p AS path
ORDER BY steps, database;
