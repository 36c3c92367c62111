// Which techniques of MITRE ATT&CK are possible, and how often.
// id: attack-coverage
// group: posture metrics
// severity: info
// attack:
// fix: compare it with what your detection covers
MATCH ()-[step]->()
WHERE step.effort > 0
UNWIND step.mitre AS attack
RETURN attack, toInteger(round(sum(1.0 / step.requires))) AS steps, collect(DISTINCT type(step)) AS techniques
ORDER BY steps DESC, attack;
