// Secrets that containers get as environment variables, which crash reports and children see.
// id: secrets-in-environment
// group: secrets
// severity: low
// attack: T1552.007
// fix: mount the Secret as a file
MATCH (holder)-[step:SECRET_IN_ENV]->(secret:Secret)
RETURN holder.id AS holder, collect(DISTINCT secret.id) AS secrets
ORDER BY holder;
