// Techniques by the crown jewels whose chain from the internet uses them.
// id: techniques-on-many-ways
// group: choke points
// severity: medium
// attack: T1190
// fix: `beachhead explain` on the first says how to stop it everywhere
MATCH p = ANY CHEAPEST (:Internet)-[step COST step.effort + CASE type(step) WHEN 'TALKS_TO' THEN 1000 ELSE 1 END]->+(jewel:Database|ClusterAdmin)
UNWIND relationships(p) AS hop
WITH hop, jewel
WHERE hop.effort > 0
RETURN type(hop) AS technique, hop.title AS title, count(DISTINCT jewel) AS jewels
ORDER BY jewels DESC, technique;
