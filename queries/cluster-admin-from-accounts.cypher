// Service accounts that pods carry a token of and that lead to cluster-admin.
// id: cluster-admin-from-accounts
// group: cluster-admin
// severity: high
// attack: T1078
// fix: narrow the role, or do not mount the token
MATCH (container)-[:TOKEN_MOUNT]->(:Credential)-[:IDENTITY_ASSUME]->(account:Identity)
WHERE container:Container OR container:Pod
WITH account, count(DISTINCT container) AS containers
MATCH p = ANY CHEAPEST (account)-[step COST step.effort + CASE type(step) WHEN 'TALKS_TO' THEN 1000 ELSE 1 END]->+(:ClusterAdmin)
RETURN account.id AS account, containers, length(p) AS steps, p AS path
ORDER BY steps, containers DESC, account;
