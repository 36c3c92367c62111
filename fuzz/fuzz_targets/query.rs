//! Any text as a query: reading it never panics, mistakes lie within the text, and what is printed reads as the same.

#![no_main]

use beachhead::query::{Query, is_statement, lexemes};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    is_statement(text);
    for (_, span) in lexemes(text) {
        assert!(text.get(span.start as usize..span.end as usize).is_some());
    }
    match Query::parse(text) {
        Ok(query) => {
            let printed = query.printed();
            let again = Query::parse(&printed).expect("what is printed can be read");
            assert!(query.is_same(&again), "{printed}");
        }
        Err(error) => {
            let place = text.get(error.span.start as usize..error.span.end as usize);
            assert!(place.is_some(), "{error:?}");
        }
    }
});
