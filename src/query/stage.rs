//! A query as stages through which rows flow: what its clauses become before it runs.
//!
//! Rows go through the stages of a segment one by one, so that a LIMIT stops all that is before it and nothing is kept
//! on the way. A segment ends where all rows are needed at once, to sort or to group them.
//!
//! **Trap.** Every stage of a segment is one call deeper, so a segment ends after some stages, too.

use std::collections::BTreeSet;

use super::ast::{Call, Clause, ClauseKind, Expr, Imports, Item, Projection, Union};
use super::data::Graph;
use super::error::{Fault, QueryError, Result};
use super::explain::Listing;
use super::group::Grouping;
use super::matching::{Op, Plan};
use super::procedure::{self, Procedure};
use super::run::column;
use super::{check, walk};

/// Stages of one segment.
const STAGES: usize = 16;

/// A query whose parts are joined by UNION.
#[derive(Debug)]
pub(crate) struct Program<'q> {
    pub(crate) parts: Vec<Part<'q>>,
    /// Of each part: where its columns stand that belong to those of the first.
    pub(crate) places: Vec<Vec<usize>>,
    /// Whether each row counts once.
    pub(crate) distinct: bool,
}

/// One query without UNION.
#[derive(Debug)]
pub(crate) struct Part<'q> {
    pub(crate) segments: Vec<Segment<'q>>,
    pub(crate) columns: Vec<String>,
}

#[derive(Debug)]
pub(crate) struct Segment<'q> {
    pub(crate) stages: Vec<Stage<'q>>,
    pub(crate) end: End<'q>,
    /// The names of the rows that come to the end.
    pub(crate) names: Vec<String>,
    /// The number of the end among the operators of the query.
    pub(crate) id: usize,
}

#[derive(Debug)]
pub(crate) struct Stage<'q> {
    pub(crate) step: Step<'q>,
    /// The names of the rows that come in.
    pub(crate) names: Vec<String>,
    /// Its number among the operators of the query; a MATCH has one for each of its operations, this the first.
    pub(crate) id: usize,
}

/// What is done with each row.
#[derive(Debug)]
pub(crate) enum Step<'q> {
    Match {
        plan: Plan<'q>,
        optional: bool,
    },
    Unwind(&'q Expr),
    Call {
        call: &'q Call,
        procedure: Procedure,
        /// The results that are passed on.
        places: Vec<usize>,
        /// The names behind it.
        after: Vec<String>,
        /// Whether it is the whole query.
        is_alone: bool,
    },
    Subquery {
        program: Program<'q>,
        /// Of each part: which values of the row it sees.
        sees: Vec<Vec<usize>>,
        optional: bool,
    },
    Project(Project<'q>),
}

/// What is done with all rows together.
#[derive(Debug)]
pub(crate) enum End<'q> {
    Collect,
    Sort(Project<'q>),
    Group(Project<'q>, Grouping<'q>),
}

/// A WITH or RETURN.
#[derive(Debug)]
pub(crate) struct Project<'q> {
    pub(crate) projection: &'q Projection,
    pub(crate) columns: Vec<String>,
    /// The columns and behind them the names of the rows before: what ORDER BY and WHERE see.
    pub(crate) both: Vec<String>,
}

/// Turns clauses into stages.
pub(crate) struct Compiler<'g> {
    graph: &'g dyn Graph,
    text: &'g str,
    pub(crate) listing: Listing,
}

/// The part of a query that is being compiled.
struct Open<'q> {
    names: Vec<String>,
    stages: Vec<Stage<'q>>,
    segments: Vec<Segment<'q>>,
}

impl<'g> Compiler<'g> {
    /// `is_told` is whether someone wants to read what each operator does.
    pub(crate) fn new(graph: &'g dyn Graph, text: &'g str, is_told: bool) -> Self {
        Self {
            graph,
            text,
            listing: Listing::new(is_told),
        }
    }

    /// Compiles a query for rows of these names.
    pub(crate) fn program<'q>(&mut self, query: &'q Union, names: &[String]) -> Result<Program<'q>> {
        let names = vec![names.to_vec(); query.parts.len()];
        self.parts(query, &names)
    }

    fn parts<'q>(&mut self, query: &'q Union, names: &[Vec<String>]) -> Result<Program<'q>> {
        let mut program = Program {
            parts: Vec::new(),
            places: Vec::new(),
            distinct: query.all.first() == Some(&false),
        };
        let rows = self.listing.rows;
        let mut all = 0.0;
        for (clauses, names) in query.parts.iter().zip(names) {
            self.listing.rows = rows;
            let part = self.part(clauses, names)?;
            all += self.listing.rows;
            let columns = &program.parts.first().unwrap_or(&part).columns;
            let places: Option<Vec<usize>> = columns
                .iter()
                .map(|column| part.columns.iter().position(|name| name == column))
                .collect();
            let Some(places) = places.filter(|places| places.len() == part.columns.len()) else {
                let message = "all parts of a UNION return columns of the same names";
                return Err(QueryError::new(Fault::Meaning, query.span, message));
            };
            program.places.push(places);
            program.parts.push(part);
        }
        self.listing.rows = all;
        if program.parts.len() > 1 {
            let how = if program.distinct {
                "rows that differ"
            } else {
                "all rows"
            };
            self.listing.operator("Union", || how.to_owned());
        }
        Ok(program)
    }

    fn part<'q>(&mut self, clauses: &'q [Clause], names: &[String]) -> Result<Part<'q>> {
        let mut open = Open {
            names: names.to_vec(),
            stages: Vec::new(),
            segments: Vec::new(),
        };
        for clause in clauses {
            if open.stages.len() >= STAGES {
                let id = self.listing.operator("Eager", String::new);
                open.close(End::Collect, id, None);
            }
            match &clause.kind {
                ClauseKind::Match {
                    optional,
                    patterns,
                    filter,
                } => {
                    let plan = Plan::new(self.graph, patterns, filter.as_ref(), &open.names)?;
                    let after = plan.names_after();
                    let id = self.listing.plan(&plan, *optional, self.text);
                    let optional = *optional;
                    open.stage(Step::Match { plan, optional }, id, after);
                }
                ClauseKind::Unwind { list, name } => {
                    self.listing.rows *= 10.0;
                    let detail = || format!("{} AS {}", list.span.of(self.text), name.text);
                    let id = self.listing.operator("Unwind", detail);
                    let mut after = open.names.clone();
                    after.push(name.text.clone());
                    open.stage(Step::Unwind(list), id, after);
                }
                ClauseKind::Call(call) => self.call(&mut open, call, clauses.len() == 1)?,
                ClauseKind::Subquery {
                    imports,
                    query,
                    optional,
                } => self.subquery(&mut open, imports, query, *optional)?,
                ClauseKind::With(projection) | ClauseKind::Return(projection) => {
                    self.projection(&mut open, projection);
                }
            }
        }
        if !open.stages.is_empty() || open.segments.is_empty() {
            let id = self.listing.operator("ProduceResults", || open.names.join(", "));
            open.close(End::Collect, id, None);
        }
        Ok(Part {
            segments: open.segments,
            columns: open.names,
        })
    }

    fn call<'q>(&mut self, open: &mut Open<'q>, call: &'q Call, is_alone: bool) -> Result<()> {
        let procedure = procedure::find(self.graph, &call.procedure)?;
        let results = procedure::passed_on(call, &procedure, is_alone)?;
        let mut after = open.names.clone();
        after.extend(results.iter().map(|(_, name)| name.clone()));
        self.listing.rows *= if procedure.gives.is_empty() { 1.0 } else { 10.0 };
        let id = self.listing.operator("ProcedureCall", || procedure.to_string());
        let step = Step::Call {
            call,
            procedure,
            places: results.into_iter().map(|(place, _)| place).collect(),
            after: after.clone(),
            is_alone,
        };
        open.stage(step, id, after);
        Ok(())
    }

    fn subquery<'q>(
        &mut self,
        open: &mut Open<'q>,
        imports: &Imports,
        query: &'q Union,
        optional: bool,
    ) -> Result<()> {
        let names: Vec<Vec<String>> = query
            .parts
            .iter()
            .map(|part| check::imported(imports, part, &open.names))
            .collect();
        let place = |name: &String| open.names.iter().position(|known| known == name);
        let sees = names
            .iter()
            .map(|names| names.iter().filter_map(place).collect())
            .collect();
        let rows = self.listing.rows;
        self.listing.rows = 1.0;
        let id = self
            .listing
            .operator(if optional { "OptionalApply" } else { "Apply" }, || {
                "for each row".to_owned()
            });
        self.listing.depth += 1;
        let program = self.parts(query, &names)?;
        self.listing.depth -= 1;
        self.listing.rows *= rows;
        let mut after = open.names.clone();
        after.extend(
            program
                .parts
                .first()
                .into_iter()
                .flat_map(|part| part.columns.clone()),
        );
        let step = Step::Subquery {
            program,
            sees,
            optional,
        };
        open.stage(step, id, after);
        Ok(())
    }

    fn projection<'q>(&mut self, open: &mut Open<'q>, projection: &'q Projection) {
        let mut columns = if projection.everything {
            open.names.clone()
        } else {
            Vec::new()
        };
        columns.extend(projection.items.iter().map(|item| column(item, self.text)));
        let mut both = columns.clone();
        both.extend_from_slice(&open.names);
        let project = Project {
            projection,
            columns: columns.clone(),
            both,
        };
        let has_aggregate = |item: &Item| walk::has_aggregate(&item.value);
        let aggregates = projection.items.iter().any(has_aggregate);
        let id = self
            .listing
            .projection(projection, &columns, aggregates, self.text);
        if aggregates {
            let grouping = Grouping::new(self.graph, projection, &open.names, open.bound());
            self.count_last(open, projection, &grouping);
            open.close(End::Group(project, grouping), id, Some(columns));
        } else if projection.order.is_empty() {
            open.stage(Step::Project(project), id, columns);
        } else {
            open.close(End::Sort(project), id, Some(columns));
        }
    }

    /// Lets the MATCH before an aggregation that only counts look at no more than it must.
    fn count_last<'q>(&mut self, open: &mut Open<'q>, projection: &Projection, grouping: &Grouping<'q>) {
        if projection.everything || !grouping.only_counts() {
            return;
        }
        let mut used = BTreeSet::new();
        let items = projection.items.iter().map(|item| &item.value);
        let order = projection.order.iter().map(|order| &order.value);
        for value in items.chain(order) {
            walk::names_outside(value, &mut used);
        }
        projection
            .filter
            .iter()
            .for_each(|filter| walk::names(filter, &mut used));
        if let Some(stage) = open.stages.last_mut()
            && let Step::Match {
                plan,
                optional: false,
            } = &mut stage.step
        {
            if plan.count_last(&used) {
                let last = stage.id + plan.ops.len() - 1;
                let name = match plan.ops.last() {
                    Some(Op::Select(_)) => "ReachableNodes(Count)",
                    _ => "Expand(Count)",
                };
                self.listing.rename(last, name);
            }
            if grouping.only_tallies() {
                plan.tally_last();
            }
        }
    }
}

impl<'q> Open<'q> {
    /// The names that the last stage gives a value which is not null.
    fn bound(&self) -> &[String] {
        match self.stages.last() {
            Some(Stage {
                step: Step::Match { optional: false, .. },
                names,
                ..
            }) => &self.names[names.len()..],
            _ => &[],
        }
    }

    fn stage(&mut self, step: Step<'q>, id: usize, after: Vec<String>) {
        let names = std::mem::replace(&mut self.names, after);
        self.stages.push(Stage { step, names, id });
    }

    fn close(&mut self, end: End<'q>, id: usize, after: Option<Vec<String>>) {
        let names = self.names.clone();
        if let Some(after) = after {
            self.names = after;
        }
        self.segments.push(Segment {
            stages: std::mem::take(&mut self.stages),
            end,
            names,
            id,
        });
    }
}
