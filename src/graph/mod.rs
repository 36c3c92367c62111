//! The attack graph: positions and joins, connected by steps. The only place that builds the petgraph.
