// Containers that reach the API server and carry no token: nothing there needs the way.
// id: api-server-reachers
// group: network
// severity: low
// attack: T1613
// fix: close the API server to them with an egress policy
MATCH (container:Container)-[:SENDS_AS]->(:Network)-[:TALKS_TO]->(server:Port)
WHERE NOT EXISTS { (container)-[:TOKEN_MOUNT]->() }
  AND NOT EXISTS { (container)<-[:HAS_CONTAINER]-(:Pod)-[:TOKEN_MOUNT]->() }
RETURN DISTINCT container.id AS container
ORDER BY container;
