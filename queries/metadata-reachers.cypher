// Groups of pods that get a role of the cloud from the metadata service of their node.
// id: metadata-reachers
// group: network
// severity: high
// attack: T1552.005
// fix: close 169.254.169.254 with an egress policy, or set the hop limit to 1
MATCH (from:Network)-[step:CLOUD_METADATA]->(role:CloudIdentity)
RETURN from.id AS from, role.id AS role, step.condition AS condition
ORDER BY from, role;
