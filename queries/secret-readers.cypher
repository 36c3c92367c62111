// How many Secrets each position reads in one step.
// severity: medium
// attack: T1552.007
// fix: name the Secrets in the rule (resourceNames), or drop get, list and watch
MATCH (position)-[step]->(secret:Secret)
WHERE NOT position:Secret
RETURN position.id AS position, count(DISTINCT secret) AS secrets
ORDER BY secrets DESC, position;
