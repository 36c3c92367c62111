// Consoles on exposed ports that run code or act as an account without a login.
// id: entry-consoles
// group: entry points
// severity: critical
// attack: T1190 T1133
// fix: close the port to the outside, or ask for a login
MATCH (:Internet)-[:EXPOSED]->(port:Port)-[step]->(gained)
WHERE type(step) STARTS WITH 'CONSOLE_'
RETURN port.id AS port, type(step) AS technique, gained.id AS gained
ORDER BY port, technique, gained;
