// What steps depend on that the input does not show.
// id: conditional-steps
// group: posture metrics
// severity: info
// attack:
// fix: give Beachhead what it lacks, or rule the condition out by hand
MATCH ()-[step]->()
WHERE step.certainty = 'conditional'
RETURN step.condition AS condition, collect(DISTINCT type(step)) AS techniques, toInteger(round(sum(1.0 / step.requires))) AS steps
ORDER BY steps DESC, condition;
