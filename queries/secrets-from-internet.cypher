// Secrets whose values can be had from the internet, by namespace.
// id: secrets-from-internet
// group: secrets
// severity: high
// attack: T1552.007
// fix: `beachhead paths --to Secret/NAMESPACE/NAME` shows the way to one of them
MATCH ANY SHORTEST (:Internet)-->+(secret:Secret)
WHERE secret.name <> '*'
RETURN secret.namespace AS namespace, count(DISTINCT secret.name) AS secrets, collect(DISTINCT secret.name)[..10] AS some
ORDER BY secrets DESC, namespace;
