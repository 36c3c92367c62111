// Kubelets that run commands in pods for whoever reaches their port.
// id: open-kubelets
// group: network
// severity: critical
// attack: T1133 T1609
// fix: set authentication.anonymous.enabled: false and authorization.mode: Webhook
MATCH (port:Network)-[step:KUBELET_ANONYMOUS]->(pod:Pod)
RETURN port.id AS port, count(DISTINCT pod) AS pods, step.condition AS condition
ORDER BY pods DESC, port;
