// Keys and roles of the cloud that pods, Secrets and nodes give away.
// id: cloud-keys
// group: secrets
// severity: high
// attack: T1552.001 T1078.004
// fix: use a workload identity with few rights, and close the metadata address
MATCH (holder)-[step]->(role:CloudIdentity)
RETURN role.id AS role, type(step) AS technique, holder.id AS holder, step.condition AS condition
ORDER BY role, technique, holder;
