// Containers from which most databases, nodes and cluster-admin fall.
// id: weakest-containers
// group: choke points
// severity: high
// attack: T1610
// fix: begin with the first, whoever gets into it
MATCH ANY SHORTEST (container:Container)-->+(jewel:Database|Node|ClusterAdmin)
WHERE NOT jewel.name IN ['*', '~held'] AND NOT EXISTS { (container)-[:DATABASE_LOCAL]->(jewel) }
RETURN container.id AS container, count(DISTINCT jewel) AS jewels
ORDER BY jewels DESC, container
LIMIT 20;
