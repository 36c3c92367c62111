//! The attack graph as DOT and JSON.
