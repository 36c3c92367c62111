//! Queries and patterns within expressions: EXISTS, COUNT and COLLECT, comprehensions and predicates of patterns.
//!
//! Each is planned once, for the names that are in sight where it stands.
//!
//! **Trap.** The same expression may be evaluated where other names are in sight, as in ORDER BY; it is planned anew
//! then.

use std::rc::Rc;

use rustc_hash::FxHashMap;

use super::ast::{Expr, Pattern, Shortest, Subquery, Union};
use super::error::{Fault, QueryError, Result};
use super::matching::Plan;
use super::run::{Frame, Row, Runner};
use super::stage::{Compiler, Program};
use super::value::Value;

/// What was planned so far, by place in memory of what it is a plan of.
#[derive(Default)]
pub(crate) struct Inner<'g> {
    programs: FxHashMap<*const Union, Rc<Planned<Program<'g>>>>,
    plans: FxHashMap<*const Pattern, Rc<Planned<Plan<'g>>>>,
}

/// A plan, the names it is for and the names of what it gives.
struct Planned<P> {
    before: Vec<String>,
    plan: P,
    after: Vec<String>,
}

impl<P> Planned<P> {
    fn is_for(&self, names: &[&str]) -> bool {
        self.before.iter().eq(names)
    }
}

fn owned(names: &[&str]) -> Vec<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

impl<'g> Runner<'g> {
    /// All names in sight with their values, inner ones before outer ones of the same name.
    fn in_sight<'r>(&'r self, frame: Frame<'r>) -> (Vec<&'r str>, Row) {
        let mut names: Vec<&str> = Vec::new();
        let mut row = Row::new();
        let locals = self.locals.iter().rev().map(|(name, value)| (name, value));
        for (name, value) in locals.chain(frame.names.iter().zip(frame.row)) {
            if !name.is_empty() && !names.contains(&name.as_str()) {
                names.push(name);
                row.push(value.clone());
            }
        }
        (names, row)
    }

    /// The plan of a pattern, and the row that it is carried out for.
    fn planned(
        &mut self,
        pattern: &'g Pattern,
        filter: Option<&'g Expr>,
        frame: Frame<'_>,
    ) -> Result<(Rc<Planned<Plan<'g>>>, Row)> {
        let (names, row) = self.in_sight(frame);
        if let Some(known) = self.inner.plans.get(&std::ptr::from_ref(pattern))
            && known.is_for(&names)
        {
            return Ok((Rc::clone(known), row));
        }
        let before = owned(&names);
        let plan = if pattern.shortest.is_some() {
            Plan::of_path(self.graph, pattern, &before)?
        } else {
            Plan::new(self.graph, std::slice::from_ref(pattern), filter, &before)?
        };
        let after = plan.names_after();
        let planned = Rc::new(Planned { before, plan, after });
        self.inner.plans.insert(pattern, Rc::clone(&planned));
        Ok((planned, row))
    }

    /// Evaluates `value` in each match of a pattern that satisfies a condition, at most `most` times.
    fn each_match(
        &mut self,
        pattern: &'g Pattern,
        filter: Option<&'g Expr>,
        value: &dyn Fn(&mut Self, Frame<'_>) -> Result<Value>,
        most: usize,
        frame: Frame<'_>,
    ) -> Result<Vec<Value>> {
        let (planned, row) = self.planned(pattern, filter, frame)?;
        let locals = std::mem::take(&mut self.locals);
        let mut found = Vec::new();
        let result = self.matches(&planned.plan, &row, &mut |runner, row| {
            let names = &planned.after;
            found.push(value(runner, Frame { names, row })?);
            Ok(found.len() < most)
        });
        self.locals = locals;
        result?;
        if found.len() < most {
            self.whole(pattern.span)?;
        }
        Ok(found)
    }

    pub(crate) fn pattern_comprehension(
        &mut self,
        pattern: &'g Pattern,
        filter: Option<&'g Expr>,
        value: &'g Expr,
        frame: Frame<'_>,
    ) -> Result<Value> {
        let eval = |runner: &mut Self, frame: Frame<'_>| runner.eval(value, frame);
        Ok(Value::list(self.each_match(
            pattern,
            filter,
            &eval,
            usize::MAX,
            frame,
        )?))
    }

    /// Whether there is a match of a pattern; of a shortest path, the path itself.
    pub(crate) fn pattern_value(&mut self, pattern: &'g Pattern, frame: Frame<'_>) -> Result<Value> {
        let path = |_: &mut Self, frame: Frame<'_>| Ok(frame.row.last().cloned().unwrap_or(Value::Null));
        match pattern.shortest {
            None => {
                let found = self.each_match(pattern, None, &|_, _| Ok(Value::Null), 1, frame)?;
                Ok(Value::Bool(!found.is_empty()))
            }
            Some(Shortest::One) => {
                let mut found = self.each_match(pattern, None, &path, 1, frame)?;
                Ok(found.pop().unwrap_or(Value::Null))
            }
            Some(Shortest::All) => {
                let found = self.each_match(pattern, None, &path, usize::MAX, frame)?;
                Ok(Value::list(found))
            }
        }
    }

    /// The plan of a query, and the row that it is carried out for.
    fn compiled(&mut self, query: &'g Union, frame: Frame<'_>) -> Result<(Rc<Planned<Program<'g>>>, Row)> {
        let (names, row) = self.in_sight(frame);
        if let Some(known) = self.inner.programs.get(&std::ptr::from_ref(query))
            && known.is_for(&names)
        {
            return Ok((Rc::clone(known), row));
        }
        let before = owned(&names);
        let plan = Compiler::new(self.graph, self.text, false).program(query, &before)?;
        let after = plan
            .parts
            .first()
            .map_or_else(Vec::new, |part| part.columns.clone());
        let planned = Rc::new(Planned { before, plan, after });
        self.inner.programs.insert(query, Rc::clone(&planned));
        Ok((planned, row))
    }

    pub(crate) fn subquery(&mut self, kind: Subquery, query: &'g Union, frame: Frame<'_>) -> Result<Value> {
        let (planned, row) = self.compiled(query, frame)?;
        let locals = std::mem::take(&mut self.locals);
        let aggregated = std::mem::take(&mut self.aggregated);
        let weight = std::mem::replace(&mut self.weight, 1);
        let cap = (kind == Subquery::Exists).then_some(1);
        let rows = self.whole_program(&planned.plan, &row, cap);
        self.locals = locals;
        self.aggregated = aggregated;
        self.weight = weight;
        let rows = rows?;
        if kind != Subquery::Exists || rows.is_empty() {
            self.whole(query.span)?;
        }
        match kind {
            Subquery::Exists => Ok(Value::Bool(!rows.is_empty())),
            Subquery::Count => Ok(Value::Int(i64::try_from(rows.len()).unwrap_or(i64::MAX))),
            Subquery::Collect if planned.after.len() == 1 => {
                Ok(Value::list(rows.into_iter().flatten().collect()))
            }
            Subquery::Collect => {
                let message = "COLLECT { … } returns exactly one column";
                Err(QueryError::new(Fault::Meaning, query.span, message))
            }
        }
    }
}
