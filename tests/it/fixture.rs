//! Fixtures in Markdown: under each heading a case, its manifests, and in a block of code what they give.
//!
//! **Trap.** The block is rewritten by `UPDATE_EXPECT=1 cargo test`; everything before it is kept as it is written.

/// One case of a fixture.
pub(crate) struct Case {
    pub(crate) heading: String,
    /// Everything from the heading to the block of results, as written.
    pub(crate) head: String,
    pub(crate) manifests: String,
}

/// The cases of a fixture whose blocks of results are called `results`.
pub(crate) fn cases(text: &str, results: &str) -> Vec<Case> {
    let mut cases = Vec::new();
    for section in text.split("\n## ").skip(1) {
        let heading = section.lines().next().unwrap_or_default().to_owned();
        let (head, _) = section
            .split_once(&format!("```{results}\n"))
            .unwrap_or_else(|| panic!("{heading}: no ```{results} block"));
        let manifests = head
            .split_once("```yaml\n")
            .and_then(|(_, rest)| rest.split_once("```"))
            .unwrap_or_else(|| panic!("{heading}: no ```yaml block"))
            .0;
        cases.push(Case {
            heading,
            head: format!("\n## {head}"),
            manifests: manifests.to_owned(),
        });
    }
    cases
}
