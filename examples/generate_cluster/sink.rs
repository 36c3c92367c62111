//! Where finished objects go: one `kubectl get -o json` List, or a snapshot.

use std::io::{self, Write};

use beachhead::collect::snapshot;
use beachhead::model::{Cluster, KindInfo, Object};
use k8s_openapi::Resource;
use serde::Serialize;

/// Takes objects one by one.
pub(crate) enum Sink<W: Write> {
    /// Writes each object at once.
    Dump(Dump<W>),
    /// Keeps what the model keeps of each object.
    Snapshot(W, Box<Cluster>),
}

/// A List that is being written.
pub(crate) struct Dump<W: Write> {
    out: W,
    /// True until the first object is written.
    is_empty: bool,
    /// The only kind that is written; all are if there is none.
    only: Option<&'static str>,
}

impl<W: Write> Sink<W> {
    /// Begins a List of everything.
    pub(crate) fn dump(out: W) -> io::Result<Self> {
        Self::dump_of(None, out)
    }

    /// Begins a List of one kind, or of everything.
    pub(crate) fn dump_of(only: Option<&'static str>, mut out: W) -> io::Result<Self> {
        out.write_all(br#"{"apiVersion":"v1","items":["#)?;
        let is_empty = true;
        Ok(Self::Dump(Dump { out, is_empty, only }))
    }

    /// Begins a snapshot.
    pub(crate) fn snapshot(out: W) -> Self {
        Self::Snapshot(out, Box::default())
    }

    /// Takes one object.
    pub(crate) fn put<T: Serialize + Resource>(&mut self, object: &T) -> io::Result<()> {
        match self {
            Self::Dump(dump) if dump.only.is_none_or(|only| only == T::KIND) => {
                if !std::mem::take(&mut dump.is_empty) {
                    dump.out.write_all(b",\n")?;
                }
                serde_json::to_writer(&mut dump.out, object)?;
            }
            Self::Dump(_) => {}
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
            Self::Dump(Dump { mut out, .. }) => {
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
