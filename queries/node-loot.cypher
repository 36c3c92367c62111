// Tokens that root on a node finds in the pods there and that lead to cluster-admin.
// id: node-loot
// group: escapes
// severity: medium
// attack: T1528 T1078
// fix: keep powerful workloads on nodes of their own
MATCH (node:Node)-[:POD_ATTACH]->(pod:Pod)-[:HAS_CONTAINER*0..1]->()-[:TOKEN_MOUNT]->(:Credential)-[:IDENTITY_ASSUME]->(account:Identity)
WITH node, account, collect(DISTINCT pod.id) AS pods
MATCH shortestPath((account)-[*]->(:ClusterAdmin))
RETURN node.id AS node, account.id AS account, pods
ORDER BY node, account;
