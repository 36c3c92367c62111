// Namespaces in which someone from the internet comes to run code, and in how many containers.
// id: namespaces-from-internet
// group: posture metrics
// severity: high
// attack: T1190
// fix: a namespace that is not here holds for now
MATCH ANY SHORTEST (:Internet)-->+(container:Container)
RETURN container.namespace AS namespace, count(container) AS containers
ORDER BY containers DESC, namespace;
