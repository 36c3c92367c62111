//! Arguments, terminal and exit codes; the only place that prints.
