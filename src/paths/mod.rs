//! Cheapest derivations over the attack graph.
