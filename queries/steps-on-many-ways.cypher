// Steps that lie on the chains from the internet to most crown jewels.
// id: steps-on-many-ways
// group: choke points
// severity: high
// attack: T1190
// fix: stop the first; `beachhead report` proves which steps leave no other way
MATCH p = ANY CHEAPEST (:Internet)-[step COST step.effort + CASE type(step) WHEN 'TALKS_TO' THEN 1000 ELSE 1 END]->+(jewel:Database|ClusterAdmin)
UNWIND relationships(p) AS hop
WITH hop, jewel
WHERE hop.effort > 0
RETURN startNode(hop).id AS from, type(hop) AS technique, endNode(hop).id AS to, count(DISTINCT jewel) AS jewels
ORDER BY jewels DESC, from, technique, to
LIMIT 20;
