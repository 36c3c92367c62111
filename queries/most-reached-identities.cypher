// Identities by the number of ways that lead to them.
// severity: medium
// attack: T1078
// fix: begin with the first: protecting it closes the most ways
MATCH (account:Identity)<-[step]-()
RETURN account.id AS identity, count(step) AS ways
ORDER BY ways DESC, identity
LIMIT 20;
