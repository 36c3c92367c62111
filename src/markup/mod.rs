//! Quoting: how text of the cluster stands in markup without becoming part of it.
//!
//! Names, labels and values are chosen by whoever writes manifests. Each function here takes any text and gives one
//! that a reader of its format reads back as the same text, apart from characters that the format cannot hold.
//!
//! **Trap.** A function serves one place of one format; none is good for another.

mod markdown;
mod mermaid;
mod xml;

pub use markdown::{code, fenced};
pub use mermaid::label;
pub use xml::{attribute, content};
