// Dangerous rights of groups that everyone is in.
// id: rights-of-everyone
// group: RBAC hygiene
// severity: critical
// attack: T1078
// fix: bind the role to those who need it
MATCH (everyone:Identity)-[holds:HOLDS]->(grant:Grant)
WHERE (everyone.id IN ['Group/system:authenticated', 'Group/system:unauthenticated', 'Group/system:serviceaccounts', 'User/system:anonymous']
       OR everyone.id STARTS WITH 'Group/system:serviceaccounts:')
RETURN everyone.id AS everyone, grant.id AS grant, holds.evidence AS because
ORDER BY everyone, grant;
