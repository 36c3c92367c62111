//! The cluster as plain data: what rules read, nothing else, and no input or output.
//!
//! Structs mirror the Kubernetes API in names and nesting, so that someone who knows the API knows the model;
//! they hold only the fields that some rule reads. Start at [`Cluster`].
//!
//! **Trap.** Unset differs from false: such fields are `Option`, and defaulting is a named function.

mod access;
mod admission;
mod client_files;
mod cluster;
mod config;
mod diagnostic;
mod entry;
mod extension;
mod kubelet;
mod labels;
mod lenient;
mod literal;
mod node;
mod object;
mod owner;
mod pod;
mod policy;
mod selector;
mod server_files;
mod service;
mod storage;
mod text;
mod workload;

pub use access::*;
pub use admission::*;
pub use cluster::{
    AnonymousProbe, Cluster, Coverage, KINDS, KindInfo, Object, ObjectRef, Objects, ProbeAnswer, Refusal,
};
pub use config::*;
pub use diagnostic::{Code, Diagnostic, Severity};
pub use entry::*;
pub use extension::*;
pub use kubelet::kubelet_setting;
pub use labels::{Labels, NAMESPACE_NAME};
pub use literal::{Literal, WITHHELD, names_a_credential, redacted_arguments};
pub use node::*;
pub use object::{IdRef, Meta, ObjectId, OwnerReference, Source};
pub use owner::UNNAMED_WORKER;
pub use pod::*;
pub use policy::*;
pub use selector::{LabelSelector, Operator, Requirement};
pub use server_files::{ServerFile, ServerSetting, is_server_setting, server_settings};
pub use service::*;
pub use storage::*;
pub use text::Text;
pub use workload::*;

/// Empties this thread's pool of labels; those in use live on.
///
/// Call it when a long reading is over: the pool holds all labels that were ever read.
pub fn release_pools() {
    Labels::release_pool();
}
