//! The `beachhead` command; everything is in the library.

fn main() {}
