// How much each exposed application leads to once it is broken into.
// id: entry-blast-radius
// group: entry points
// severity: high
// attack: T1190
// fix: begin with the first; `:paths` at the prompt shows each way
MATCH (:Internet)-[:EXPLOIT_PUBLIC_APP]->(entry)
WITH DISTINCT entry
MATCH ANY SHORTEST (entry)-->+(gained:Database|Node|ClusterAdmin|Secret|CloudIdentity)
WHERE NOT gained.name IN ['*', '~held'] AND gained <> entry
RETURN entry.id AS entry,
       count(CASE WHEN gained:ClusterAdmin THEN 1 END) > 0 AS clusterAdmin,
       count(CASE WHEN gained:Node THEN 1 END) AS nodes,
       count(CASE WHEN gained:Database THEN 1 END) AS databases,
       count(CASE WHEN gained:CloudIdentity THEN 1 END) AS cloudRoles,
       count(CASE WHEN gained:Secret THEN 1 END) AS secrets
ORDER BY clusterAdmin DESC, nodes DESC, databases DESC, secrets DESC, entry;
