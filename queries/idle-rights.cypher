// Service accounts with dangerous rights whose token no pod carries.
// id: idle-rights
// group: RBAC hygiene
// severity: low
// attack: T1078
// fix: delete the binding, or the account
MATCH (account:Identity)-[holds:HOLDS]->(grant:Grant)
WHERE account.kind = 'ServiceAccount'
  AND NOT (account.namespace = 'kube-system' AND none(fact IN holds.evidence
      WHERE fact CONTAINS 'RoleBinding/' AND NOT fact =~ '(Cluster|)RoleBinding/([^/]*/|)system:.*'))
  AND NOT EXISTS { (account)<-[:IDENTITY_ASSUME]-(:Credential)<-[:TOKEN_MOUNT]-() }
RETURN account.id AS account, collect(DISTINCT grant.id) AS grants
ORDER BY account;
