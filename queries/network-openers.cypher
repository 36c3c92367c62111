// Who may open what network policies close, or expose a Service to the outside.
// id: network-openers
// group: network
// severity: medium
// attack: T1562.007
// fix: let only the team that owns the network write policies and Services
MATCH (who:Identity)-[holds:HOLDS]->(grant:Grant)-[:COVERS*0..1]->(:Grant)
      -[step:NETWORK_POLICY_OPEN|SERVICE_EXPOSE]->()
WHERE who.id <> 'Group/system:masters' AND NOT (who.id =~ '(ServiceAccount/kube-system/|.*/system:).*' AND none(fact IN holds.evidence
      WHERE fact CONTAINS 'RoleBinding/' AND NOT fact =~ '(Cluster|)RoleBinding/([^/]*/|)system:.*'))
RETURN who.id AS who, type(step) AS technique, collect(DISTINCT grant.id) AS grants
ORDER BY who, technique;
