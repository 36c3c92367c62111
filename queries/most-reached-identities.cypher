// Identities by the number of ways that lead to them.
// id: most-reached-identities
// group: choke points
// severity: medium
// attack: T1078
// fix: begin with the first: protecting it closes the most ways
MATCH (account:Identity)<-[step]-(from)
WHERE NOT from:Identity
RETURN account.id AS identity, count(DISTINCT from) AS ways
ORDER BY ways DESC, identity
LIMIT 20;
