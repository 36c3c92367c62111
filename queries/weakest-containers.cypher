// Containers from which most databases, nodes and cluster-admin fall.
// id: weakest-containers
// group: choke points
// severity: high
// attack: T1610
// fix: begin with the first, whoever gets into it
MATCH ANY SHORTEST (container:Container)-->+(jewel:Database|Node|ClusterAdmin WHERE NOT jewel.name IN ['*', '~held'])
WITH container, count(jewel) AS held
WITH container,
     held - COUNT { MATCH (container)-[:DATABASE_LOCAL]->(own) RETURN DISTINCT own } AS jewels
WHERE jewels > 0
RETURN container.id AS container, jewels
ORDER BY jewels DESC, container
LIMIT 20;
