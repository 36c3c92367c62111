// Who may make tokens of other service accounts.
// id: token-makers
// group: secrets
// severity: high
// attack: T1528
// fix: drop create on serviceaccounts/token and on secrets, or name the account
MATCH (who:Identity)-[holds:HOLDS]->(grant:Grant)-[:COVERS*0..1]->(:Grant)
      -[step:TOKEN_REQUEST|TOKEN_SECRET_CREATE]->(:Credential)
WHERE who.id <> 'Group/system:masters' AND NOT (who.id =~ '(ServiceAccount/kube-system/|.*/system:).*' AND none(fact IN holds.evidence
      WHERE fact CONTAINS 'RoleBinding/' AND NOT fact =~ '(Cluster|)RoleBinding/([^/]*/|)system:.*'))
RETURN who.id AS who, collect(DISTINCT grant.id) AS grants, collect(DISTINCT type(step)) AS techniques
ORDER BY who;
