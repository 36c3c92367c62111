// Service accounts with dangerous rights in a namespace that is not theirs.
// id: rights-across-namespaces
// group: RBAC hygiene
// severity: medium
// attack: T1078
// fix: bind the role in the namespace of the account, or move the account
MATCH (account:Identity)-[holds:HOLDS]->(grant:Grant)
WITH account, holds, grant, split(grant.id, '/')[2] AS namespace
WHERE account.kind = 'ServiceAccount' AND namespace <> '*' AND namespace <> account.namespace
  AND NOT (account.namespace = 'kube-system' AND none(fact IN holds.evidence
      WHERE fact CONTAINS 'RoleBinding/' AND NOT fact =~ '(Cluster|)RoleBinding/([^/]*/|)system:.*'))
RETURN account.id AS account, namespace, collect(DISTINCT grant.id) AS grants
ORDER BY account, namespace;
