// How many positions of each kind there are.
// id: position-counts
// group: posture metrics
// severity: info
// attack:
// fix: nothing: this is the size of the graph
MATCH (position)
UNWIND labels(position) AS label
RETURN label, count(*) AS positions
ORDER BY positions DESC, label;
