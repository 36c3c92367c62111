// How often each technique is possible.
// id: technique-counts
// group: posture metrics
// severity: info
// attack:
// fix: `beachhead explain TECHNIQUE` says how to stop it
MATCH ()-[step]->()
WHERE step.effort > 0
RETURN type(step) AS technique, step.family AS family, toInteger(round(sum(1.0 / step.requires))) AS steps
ORDER BY steps DESC, technique;
