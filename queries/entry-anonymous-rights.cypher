// What the API server allows requests without a credential.
// id: entry-anonymous-rights
// group: entry points
// severity: critical
// attack: T1078.001
// fix: remove system:anonymous and system:unauthenticated from the binding
MATCH (:Port)-[step:IDENTITY_ANONYMOUS]->(who:Identity)-[:IN_GROUP*0..1]->(:Identity)-[holds:HOLDS]->(grant:Grant)
RETURN grant.id AS grant, holds.evidence AS because, step.condition AS condition
ORDER BY grant, condition;
