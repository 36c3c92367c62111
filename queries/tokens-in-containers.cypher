// Service accounts whose token can be read in more than one container.
// id: tokens-in-containers
// group: secrets
// severity: low
// attack: T1528
// fix: give each workload a service account of its own, and mount its token only where it is used
MATCH (container:Container)-[]->(credential:Credential)-[]->(account:Identity)
WHERE account.kind = 'ServiceAccount'
WITH account, collect(DISTINCT container.id) AS containers
WHERE size(containers) > 1
RETURN account.id AS account, size(containers) AS count, containers
ORDER BY count DESC, account;
