//! Where finished objects go: one `kubectl get -o json` List, or a snapshot.

use std::io::{self, Write};

use beachhead::collect::snapshot;
use beachhead::model::{Cluster, KindInfo, Object};
use k8s_openapi::Resource;
use serde::Serialize;

/// Takes objects one by one.
pub(crate) enum Sink<W: Write> {
    /// Writes each object at once; true until the first one is written.
    Dump(W, bool),
    /// Keeps what the model keeps of each object.
    Snapshot(W, Box<Cluster>),
}

impl<W: Write> Sink<W> {
    /// Begins a List.
    pub(crate) fn dump(mut out: W) -> io::Result<Self> {
        out.write_all(br#"{"apiVersion":"v1","items":["#)?;
        Ok(Self::Dump(out, true))
    }

    /// Begins a snapshot.
    pub(crate) fn snapshot(out: W) -> Self {
        Self::Snapshot(out, Box::default())
    }

    /// Takes one object.
    pub(crate) fn put<T: Serialize + Resource>(&mut self, object: &T) -> io::Result<()> {
        match self {
            Self::Dump(out, first) => {
                if !std::mem::take(first) {
                    out.write_all(b",\n")?;
                }
                serde_json::to_writer(out, object)?;
            }
            Self::Snapshot(_, cluster) => {
                let text = serde_json::to_vec(object)?;
                let kind = KindInfo::find(T::GROUP, T::KIND).ok_or_else(|| io::Error::other(T::KIND))?;
                let object = Object::read(kind, &mut serde_json::Deserializer::from_slice(&text))?;
                cluster.insert(kind.kind, object);
            }
        }
        Ok(())
    }

    /// Ends the file.
    pub(crate) fn finish(self) -> io::Result<()> {
        match self {
            Self::Dump(mut out, _) => {
                out.write_all(b"],\"kind\":\"List\",\"metadata\":{\"resourceVersion\":\"\"}}\n")?;
                out.flush()
            }
            Self::Snapshot(mut out, mut cluster) => {
                cluster.sort();
                snapshot::encode(&cluster, &[], &mut out).map_err(io::Error::other)?;
                out.flush()
            }
        }
    }
}
