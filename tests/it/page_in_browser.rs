//! The HTML page as people meet it: opened in Chromium without a network, clicked, typed into, and judged by axe-core.
//!
//! **Trap.** A page that complains draws all the same; every test ends with [`Browser::complaints`].

use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;

use assert_cmd::Command;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::browser::{Browser, ENTER, ESCAPE, TAB, skipped};
use crate::formats::hostile;
use crate::page;

/// A page in a file of its own.
struct Opened {
    browser: Browser,
    file: PathBuf,
    _folder: TempDir,
}

/// Opens a page, if there is a browser.
fn opened(html: &str) -> Option<Opened> {
    let browser = Browser::start()?;
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("page.html");
    fs::write(&file, html).unwrap();
    browser.open(&file);
    Some(Opened {
        browser,
        file,
        _folder: folder,
    })
}

/// The report of the example, as the command writes it.
fn blog() -> String {
    let output = Command::cargo_bin("beachhead")
        .unwrap()
        .args(["report", "examples/clusters/blog", "--format", "html"])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .unwrap();
    String::from_utf8(output.stdout).unwrap()
}

fn texts(value: &Value) -> Vec<&str> {
    value
        .as_array()
        .unwrap()
        .iter()
        .filter_map(Value::as_str)
        .collect()
}

/// The ids of the findings that are shown.
const SHOWN: &str = "return [...document.querySelectorAll('.finding')].filter((one) => one.checkVisibility()).map((one) => one.id);";
/// What stands in the panel beside the graph.
const PANEL: &str = "return document.getElementById('panel').textContent;";
/// The names of the positions that are marked.
const MARKED: &str =
    "return [...document.querySelectorAll('#drawing .vertex.shine title')].map((one) => one.textContent);";

#[test]
fn a_page_opens_without_network_and_complaint() {
    let Some(Opened { browser, file, .. }) = opened(&blog()) else {
        return;
    };
    let loaded = browser.run("return performance.getEntriesByType('resource').map((entry) => entry.name);");
    assert_eq!(loaded, json!([]), "the page loads something");
    let hidden = browser.run("return document.querySelectorAll('[data-script][hidden]').length;");
    assert_eq!(hidden, json!(0), "the script ran");
    let ids = browser.run(SHOWN);
    let last = *texts(&ids).last().unwrap();
    browser.follow(last);
    let open = browser.run("return [...document.querySelectorAll('.finding[open]')].map((one) => one.id);");
    assert_eq!(open, json!([last]), "a link opens what it names");
    assert_eq!(browser.complaints(), Vec::<String>::new());
    // What a reader's click, a browser's address line or another page may try is refused, and that is seen.
    browser.run("const script = document.createElement('script'); script.textContent = 'window.ran = 1'; document.body.append(script);");
    browser.run("const image = document.createElement('img'); image.src = 'https://example.com/x.png'; document.body.append(image);");
    assert_eq!(browser.run("return window.ran ?? null;"), Value::Null);
    assert!(
        browser
            .complaints()
            .iter()
            .any(|text| text.contains("Content Security Policy"))
    );
    browser.open(&file);
}

#[test]
fn findings_are_searched_filtered_and_walked_through_by_keys() {
    let Some(Opened { browser, .. }) = opened(&blog()) else {
        return;
    };
    let shown = || browser.run(SHOWN).as_array().unwrap().len();
    let all = shown();
    assert!(all > 1, "the example has findings");
    // `/` goes to the search, whatever is focused.
    browser.keys("/");
    browser.keys("DATABASE_LOGIN");
    let some = shown();
    assert!(0 < some && some < all, "{some} of {all}");
    assert_eq!(
        browser.run("return document.getElementById('shown').textContent;"),
        json!(format!("{some} of {all} shown"))
    );
    browser.keys("no-such-thing");
    assert_eq!(shown(), 0);
    browser.keys(ESCAPE);
    assert_eq!(shown(), all, "Esc clears the search");
    let severities = "return [...document.querySelectorAll('.finding')].map((one) => one.dataset.severity);";
    let severities = browser.run(severities);
    let severities: BTreeSet<&str> = texts(&severities).into_iter().collect();
    let first = *severities.first().unwrap();
    browser.click(&format!("input[name=severity][value={first}]"));
    let left = browser.run("return [...document.querySelectorAll('.finding')].filter((one) => one.checkVisibility()).map((one) => one.dataset.severity);");
    assert!(!texts(&left).contains(&first) && left.as_array().unwrap().len() < all);
    browser.click(&format!("input[name=severity][value={first}]"));
    // By keys alone: to the next finding and into it.
    browser.run("document.activeElement.blur();");
    let focused = "return document.activeElement.closest('.finding')?.id ?? null;";
    browser.keys("j");
    let one = browser.run(focused);
    browser.keys("j");
    let two = browser.run(focused);
    browser.keys("k");
    assert_ne!(one, two);
    assert_eq!(browser.run(focused), one);
    browser.keys(ENTER);
    assert_eq!(
        browser.run("return document.activeElement.parentElement.open;"),
        json!(true)
    );
    // What is opened can be reached by Tab, and its lines of YAML opened by Enter.
    let facts = "return document.activeElement.closest('.lines') !== null;";
    let found = (0..60).any(|_| {
        browser.keys(TAB);
        browser.run(facts) == json!(true)
    });
    assert!(found, "the lines of a fact can be reached by keys");
    browser.keys(ENTER);
    assert_eq!(
        browser.run("return document.activeElement.parentElement.open;"),
        json!(true)
    );
    assert_eq!(browser.complaints(), Vec::<String>::new());
}

#[test]
fn the_graph_is_searched_folded_and_marked() {
    let Some(Opened { browser, .. }) = opened(&blog()) else {
        return;
    };
    let drawn = || browser.run("return document.querySelectorAll('#drawing .vertex').length;");
    let all = drawn().as_u64().unwrap();
    assert!(all > 5);
    // A name leads to its position and to its blast radius.
    browser.enter("#find", "Container/blog/wordpress");
    browser.enter("#find", ENTER);
    let panel = browser.run(PANEL);
    let jewels = "Crown jewels in it: ClusterAdmin, Database/blog/mysql";
    assert!(panel.as_str().unwrap().contains(jewels), "{panel}");
    let marked = browser.run(MARKED);
    assert!(texts(&marked).iter().any(|name| name.contains("ClusterAdmin")));
    assert!(!texts(&marked).contains(&"Internet"), "nothing leads back out");
    // Esc clears; n and p go from position to position.
    browser.run("document.getElementById('drawing').focus();");
    browser.keys(ESCAPE);
    assert_eq!(browser.run(MARKED), json!([]));
    browser.keys("n");
    let first = browser.run("return document.querySelector('#panel h3').textContent;");
    browser.keys("n");
    let second = browser.run("return document.querySelector('#panel h3').textContent;");
    browser.keys("p");
    assert_ne!(first, second);
    assert_eq!(
        browser.run("return document.querySelector('#panel h3').textContent;"),
        first
    );
    // A click chooses what lies under the pointer.
    browser.keys("0");
    browser.keys(ESCAPE);
    browser.click("#drawing .vertex .box.entry + text");
    assert_eq!(
        browser.run("return document.querySelector('#panel h3').textContent;"),
        json!("Internet")
    );
    let blast = browser.run(MARKED).as_array().unwrap().len();
    assert!(blast > 3, "the internet's blast radius");
    // A path is marked from its finding, and shown large.
    let ids = browser.run(SHOWN);
    let finding = texts(&ids)[0].to_owned();
    browser.click(&format!("[id='{finding}'] > summary"));
    browser.click(&format!("[id='{finding}'] button.show"));
    assert_eq!(
        browser.run("return document.getElementById('path').value;"),
        json!(finding)
    );
    let path = browser.run(MARKED).as_array().unwrap().len();
    assert!(1 < path && path < usize::try_from(all).unwrap());
    // Namespaces fold and open.
    browser.click("#group");
    assert!(drawn().as_u64().unwrap() < all);
    let group = browser.run("return document.querySelector('#drawing .group title').textContent;");
    assert!(group.as_str().unwrap().contains("click to expand"), "{group}");
    browser.click("#fit");
    browser.click("#drawing .group .box + text");
    assert!(drawn().as_u64().unwrap() > 0);
    // Zooming is a smaller part of the same picture.
    let width = || {
        let part = browser.run("return document.getElementById('drawing').viewBox.baseVal.width;");
        part.as_f64().unwrap()
    };
    let before = width();
    browser.click("#nearer");
    assert!(width() < before);
    browser.click("#farther");
    assert!((width() - before).abs() < before / 100.0);
    assert_eq!(browser.complaints(), Vec::<String>::new());
}

/// That of all they stand for.
#[test]
fn namespaces_and_joins_have_a_blast_radius_too() {
    let Some(Opened { browser, .. }) = opened(&blog()) else {
        return;
    };
    browser.click("#group");
    browser.click("#fit");
    browser.click("#drawing .group .box + text");
    let panel = browser.run(PANEL);
    let panel = panel.as_str().unwrap();
    assert!(
        panel.starts_with("namespace blog") && panel.contains("Blast radius"),
        "{panel}"
    );
    browser.click("#clear");
    browser.click("#drawing .join");
    let panel = browser.run(PANEL);
    let panel = panel.as_str().unwrap();
    assert!(
        panel.starts_with("All of these")
            && panel.contains("Holding")
            && panel.contains("Database/blog/mysql"),
        "{panel}"
    );
    assert!(browser.run(MARKED).as_array().unwrap().len() > 2);
    assert_eq!(browser.complaints(), Vec::<String>::new());
}

/// Paper cannot be clicked.
#[test]
fn what_is_closed_is_open_on_paper() {
    let Some(Opened { browser, .. }) = opened(&blog()) else {
        return;
    };
    let closed = || {
        let script = "return document.querySelectorAll('#cut details:not([open]), #findings details:not([open])').length;";
        browser.run(script).as_u64().unwrap()
    };
    let before = closed();
    assert!(before > 5, "{before}");
    browser.run("dispatchEvent(new Event('beforeprint'));");
    assert_eq!(closed(), 0);
    browser.run("dispatchEvent(new Event('afterprint'));");
    assert_eq!(closed(), before);
}

#[test]
fn hostile_names_are_inert_in_a_browser() {
    let text = "</script><img src=x onerror=\"window.ran=1\"><svg onload=window.ran=1>'\"><!--";
    let Some(Opened { browser, .. }) = opened(&page::page(&hostile(text), text)) else {
        return;
    };
    assert_eq!(browser.run("return window.ran ?? null;"), Value::Null);
    assert_eq!(
        browser.run("return document.querySelectorAll('img').length;"),
        json!(0)
    );
    browser.enter("#find", "onload");
    browser.enter("#find", ENTER);
    let panel = browser.run(PANEL);
    assert!(panel.as_str().unwrap().contains(text), "{panel}");
    assert_eq!(browser.run("return window.ran ?? null;"), Value::Null);
    assert_eq!(browser.complaints(), Vec::<String>::new());
}

/// What stands out of the window, where nothing around it scrolls.
const WIDER: &str = "return document.documentElement.scrollWidth <= innerWidth ? [] : [...document.querySelectorAll('body *')]
    .filter((one) => one.getBoundingClientRect().right > innerWidth + 1 && !one.closest('.wide, pre, svg'))
    .map((one) => `${one.tagName}.${one.className} ${one.textContent.slice(0, 60)}`);";

/// Runs the checker over the page as it is shown and returns its serious faults, one line each.
fn faults(browser: &Browser) -> Vec<String> {
    let found = browser.run_until_done(
        "axe.run(document, { resultTypes: ['violations'] }).then((result) => done(result.violations.flatMap((fault) =>
            fault.nodes.map((node) => [fault.impact, fault.id, node.target.join(' '), node.failureSummary]))), (error) => done([['critical', String(error)]]));",
    );
    let faults = found.as_array().unwrap().iter();
    let serious =
        faults.filter(|fault| ["serious", "critical"].contains(&fault[0].as_str().unwrap_or_default()));
    serious.map(ToString::to_string).collect()
}

#[test]
fn axe_finds_no_serious_fault() {
    let Some(axe) = std::env::var_os("AXE_CORE") else {
        skipped("AXE_CORE names no copy of axe-core, the page was not checked for accessibility");
        return;
    };
    let axe = fs::read_to_string(axe).unwrap();
    let Some(Opened { browser, .. }) = opened(&blog()) else {
        return;
    };
    browser.run(&axe);
    assert_eq!(browser.run("return typeof axe.run;"), json!("function"));
    browser.run("for (const one of document.querySelectorAll('details')) one.open = true;");
    for scheme in ["light", "dark"] {
        for width in [1280, 400] {
            browser.media(scheme, "screen");
            browser.size(width, 900);
            let faults = faults(&browser);
            assert!(faults.is_empty(), "{scheme}, {width} px:\n{}", faults.join("\n"));
            browser.picture(&format!("blog-{scheme}-{width}"));
            let wider = browser.run(WIDER);
            assert_eq!(wider, json!([]), "{width} px: wider than the window");
        }
    }
    browser.media("light", "print");
    browser.size(1000, 900);
    browser.picture("blog-print");
    assert_eq!(browser.complaints(), Vec::<String>::new());
}
