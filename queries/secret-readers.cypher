// Who may read Secrets through the API server, and how many.
// id: secret-readers
// group: secrets
// severity: medium
// attack: T1552.007
// fix: name the Secrets in the rule (resourceNames), or drop get, list and watch
MATCH (who:Identity)-[holds:HOLDS]->(grant:Grant)-[:COVERS*0..1]->(:Grant)-[:SECRET_READ]->(:Secret)-[:INCLUDES*0..1]->(secret:Secret)
WHERE who.id <> 'Group/system:masters' AND NOT (who.id =~ '(ServiceAccount/kube-system/|.*/system:).*' AND none(fact IN holds.evidence
      WHERE fact CONTAINS 'RoleBinding/' AND NOT fact =~ '(Cluster|)RoleBinding/([^/]*/|)system:.*'))
RETURN who.id AS who, collect(DISTINCT grant.id) AS grants,
       count(DISTINCT CASE WHEN secret.name <> '*' THEN secret.namespace + '/' + secret.name END) AS secrets
ORDER BY secrets DESC, who;
