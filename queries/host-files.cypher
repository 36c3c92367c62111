// Files of the node that containers can read.
// id: host-files
// group: escapes
// severity: high
// attack: T1083 T1552.001
// fix: drop the hostPath volume, or mount the one folder that is used, read-only
MATCH (container)-[step]->(volume:Volume)
WHERE (container:Container OR container:Pod) AND step.family IN ['escape', 'host', 'credential']
RETURN container.id AS container, collect(DISTINCT volume.id) AS files, collect(DISTINCT type(step)) AS techniques
ORDER BY container;
