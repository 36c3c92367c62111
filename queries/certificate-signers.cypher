// Who may approve or sign certificates, and so become another user or a node.
// id: certificate-signers
// group: RBAC hygiene
// severity: critical
// attack: T1649
// fix: drop approve and sign, or name the signer
MATCH (who:Identity)-[holds:HOLDS]->(grant:Grant)-[:COVERS*0..1]->(:Grant)
      -[step:CERTIFICATE_APPROVE|NODE_JOIN]->(gained)
WHERE who.id <> 'Group/system:masters' AND NOT (who.id =~ '(ServiceAccount/kube-system/|.*/system:).*' AND none(fact IN holds.evidence
      WHERE fact CONTAINS 'RoleBinding/' AND NOT fact =~ '(Cluster|)RoleBinding/([^/]*/|)system:.*'))
RETURN who.id AS who, grant.id AS grant, type(step) AS technique, count(DISTINCT gained) AS gains, step.condition AS condition
ORDER BY who, grant, technique, condition;
