//! Role and binding documents of any shape: `cargo +nightly fuzz run rbac fuzz/seeds/rbac`.
//!
//! What is read is decided about and followed to steps. Nothing may panic, and asking must agree with deciding.
//!
//! **Trap.** The bytes are one stream of documents, so that a seed is a plain manifest.

#![no_main]

use beachhead::collect::read_text;
use beachhead::rbac::{Caller, Identity, Request, ResourceRequest};
use beachhead::techniques::{Facts, steps};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    let (cluster, _) = read_text("fuzz.yaml", text, "default");
    let facts = Facts::new(&cluster);
    let bindings = cluster.role_bindings.iter();
    let bound = bindings.flat_map(|(id, _)| facts.access.subjects_of(id));
    let nobody = Identity::User("nobody".into());
    for identity in bound.chain([&nobody]) {
        let caller = Caller::of(identity, []);
        for verb in ["get", "create", "*"] {
            for namespace in ["", "shop"] {
                let request = Request::Resource(ResourceRequest {
                    verb,
                    resource: "secrets",
                    namespace,
                    ..ResourceRequest::default()
                });
                let grounds = facts.access.decide(&caller, &request);
                assert_eq!(facts.access.allows(&caller, &request), !grounds.is_empty());
            }
        }
    }
    steps(&facts.context(&cluster));
});
