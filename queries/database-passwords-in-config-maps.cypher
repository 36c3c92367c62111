// Passwords of databases that lie in ConfigMaps, which most readers may list.
// id: database-passwords-in-config-maps
// group: databases
// severity: high
// attack: T1552.007
// fix: move the value to a Secret, and change the password
MATCH (map:ConfigMap)-[:DATABASE_PASSWORD]->(credential:Credential)
RETURN map.id AS configMap, collect(DISTINCT credential.id) AS opens
ORDER BY configMap;
