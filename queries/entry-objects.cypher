// The objects that expose each port: Services, Ingresses, Gateways, Routes and ports of nodes.
// id: entry-objects
// group: entry points
// severity: info
// attack: T1190
// fix: take away the object that nobody needs; it is named behind the port
MATCH (:Internet)-[exposed:EXPOSED]->(port)
UNWIND exposed.evidence AS object
RETURN object, collect(DISTINCT port.id) AS ports, exposed.condition AS condition
ORDER BY object, condition;
