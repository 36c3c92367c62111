//! The lines of files that findings rest on.
//!
//! **Trap.** Facts say in which file and line their object begins; the field's own line is known only after the file was
//! read again. Without it (dumps, snapshots, standard input, a file that is gone) the object's line stays.

use std::collections::BTreeMap;
use std::sync::Arc;

use rustc_hash::FxHashMap;

use super::findings::Findings;
use super::path::EvidenceView;
use crate::collect::{Excerpt, Fields, Spot};
use crate::model::ObjectId;

/// Most files that are read again.
const MAX_FILES: usize = 2_000;

/// Line of the object, the object, and the field.
type Question = (u32, ObjectId, String);
type Answer = (Option<Spot>, Option<Arc<Excerpt>>);

impl Findings {
    /// Looks up the fields that the findings rest on, and the lines around them; `read` gives the text of a file, if it
    /// can be had.
    ///
    /// # Complexity
    /// Linear in the files and in the facts.
    pub fn locate(&mut self, mut read: impl FnMut(&str) -> Option<String>) {
        let mut files = BTreeMap::<String, FxHashMap<Question, Answer>>::new();
        for fact in self.facts() {
            let Some(place) = &fact.place else { continue };
            if files.len() < MAX_FILES || files.contains_key(&*place.file) {
                let questions = files.entry(place.file.to_string()).or_default();
                questions.insert(question(place.line, fact), (None, None));
            }
        }
        for (file, questions) in &mut files {
            let Some(text) = read(file) else { continue };
            let fields = Fields::new(&text);
            #[expect(
                clippy::iter_over_hash_type,
                reason = "each answer is looked up by its question"
            )]
            for ((line, object, pointer), answer) in questions {
                let excerpt = fields.excerpt(object, *line, pointer).map(Arc::new);
                *answer = (fields.spot(object, *line, pointer), excerpt);
            }
        }
        for fact in self.facts() {
            let Some(place) = &fact.place else { continue };
            let answer = files
                .get(&*place.file)
                .and_then(|known| known.get(&question(place.line, fact)));
            if let Some((spot, excerpt)) = answer {
                fact.spot = *spot;
                fact.excerpt.clone_from(excerpt);
            }
        }
    }

    /// Every fact of every finding.
    fn facts(&mut self) -> impl Iterator<Item = &mut EvidenceView> {
        let steps = self
            .findings
            .iter_mut()
            .flat_map(|finding| &mut finding.path.steps);
        steps.flat_map(|step| &mut step.evidence)
    }
}

fn question(line: u32, fact: &EvidenceView) -> Question {
    (line, fact.id.clone(), fact.path.clone())
}
