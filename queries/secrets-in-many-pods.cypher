// Secrets that more than one pod uses: each of these pods gives them away.
// id: secrets-in-many-pods
// group: secrets
// severity: low
// attack: T1552
// fix: give each workload a Secret of its own
MATCH (holder)-[:SECRET_IN_ENV|SECRET_IN_VOLUME]->(secret:Secret)
WHERE holder:Container OR holder:Pod
WITH secret.namespace AS namespace, secret.name AS name, collect(DISTINCT split(holder.id, '/')[2]) AS pods
WHERE size(pods) > 1
RETURN 'Secret/' + namespace + '/' + name AS secret, size(pods) AS count, pods
ORDER BY count DESC, secret;
