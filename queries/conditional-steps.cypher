// What steps depend on that the input does not show.
// severity: info
// attack:
// fix: give Beachhead what it lacks, or rule the condition out by hand
MATCH ()-[step]->()
WHERE step.certainty = 'conditional'
RETURN step.condition AS condition, collect(DISTINCT type(step)) AS techniques, count(*) AS steps
ORDER BY steps DESC, condition;
