// Credentials that stand in the specification of a pod instead of in a Secret.
// id: secrets-inline
// group: secrets
// severity: medium
// attack: T1552.001
// fix: move the value to a Secret, and change it
MATCH (holder)-[step:SECRET_INLINE]->(credential:Credential)
RETURN holder.id AS holder, credential.id AS credential, step.evidence AS because
ORDER BY holder, credential;
