// Who can put themselves between a client and a server of the cluster.
// id: network-spoofers
// group: network
// severity: medium
// attack: T1557
// fix: drop NET_RAW and NET_ADMIN; guard who may write Endpoints, EndpointSlices and the DNS
MATCH (container)-[step:CE_NET_MITM]->(gained)
WHERE container:Container OR container:Pod
RETURN container.id AS by, type(step) AS technique, collect(DISTINCT gained.id)[..10] AS gains
UNION
MATCH (who:Identity)-[holds:HOLDS]->(:Grant)-[:COVERS*0..1]->(:Grant)-[step:SERVICE_INTERCEPT|DNS_POISON]->(gained)
WHERE who.id <> 'Group/system:masters' AND NOT (who.id =~ '(ServiceAccount/kube-system/|.*/system:).*' AND none(fact IN holds.evidence
      WHERE fact CONTAINS 'RoleBinding/' AND NOT fact =~ '(Cluster|)RoleBinding/([^/]*/|)system:.*'))
RETURN who.id AS by, type(step) AS technique, collect(DISTINCT gained.id)[..10] AS gains
ORDER BY by, technique;
