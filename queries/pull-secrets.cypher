// Registry credentials with which someone could replace the image of a pod.
// id: pull-secrets
// group: secrets
// severity: medium
// attack: T1525
// fix: pull with a credential that can only read, and refer to images by digest
MATCH (secret:Secret)-[step:IMAGE_REPLACE]->(pod:Pod)
RETURN secret.id AS secret, count(DISTINCT pod) AS pods, collect(DISTINCT pod.id)[..10] AS some
ORDER BY pods DESC, secret;
