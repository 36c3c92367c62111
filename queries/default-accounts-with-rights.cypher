// Default service accounts that hold dangerous rights: every pod that names no account has them.
// id: default-accounts-with-rights
// group: RBAC hygiene
// severity: medium
// attack: T1078.001
// fix: bind the role to an account that only the workload names
MATCH (account:Identity)-[holds:HOLDS]->(grant:Grant)
WHERE account.kind = 'ServiceAccount' AND account.name = 'default'
RETURN account.id AS account, collect(DISTINCT grant.id) AS grants
ORDER BY account;
