// How often each technique is possible.
// severity: info
// attack:
// fix: `beachhead explain TECHNIQUE` says how to stop it
MATCH ()-[step]->()
WHERE step.effort > 0
RETURN type(step) AS technique, step.family AS family, count(*) AS steps
ORDER BY steps DESC, technique;
