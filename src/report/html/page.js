
"use strict";
// Filters, keys and printing. Everything of the cluster is read from the page's own text and written as text.
(() => {
  const one = (selector) => document.querySelector(selector);
  const all = (selector) => [...document.querySelectorAll(selector)];
  for (const element of all("[data-script]")) element.hidden = false;

  const findings = all(".finding");
  const search = one("#search");
  const form = search && search.form;
  let words = null;

  const shownFindings = () => findings.filter((finding) => !finding.hidden);
  const checked = (name) => new Set(all(`input[name="${name}"]:checked`).map((box) => box.value));

  function filter() {
    const wanted = search.value.toLowerCase().split(/\s+/).filter(Boolean);
    if (wanted.length > 0 && words === null) {
      words = findings.map((finding) => finding.textContent.toLowerCase());
    }
    const severities = checked("severity");
    const states = checked("state");
    const way = form.elements.way.value;
    let count = 0;
    findings.forEach((finding, at) => {
      const { severity, state, way: entered } = finding.dataset;
      const fits = severities.has(severity) && states.has(state) && (way === "" || way === entered)
        && wanted.every((word) => words[at].includes(word));
      finding.hidden = !fits;
      if (fits) count += 1;
    });
    one("#shown").textContent = `${count} of ${findings.length} shown`;
  }

  if (form) {
    let waiting = 0;
    search.addEventListener("input", () => {
      clearTimeout(waiting);
      waiting = setTimeout(filter, findings.length > 500 ? 150 : 0);
    });
    form.addEventListener("change", filter);
    form.addEventListener("submit", (event) => { event.preventDefault(); filter(); });
    search.addEventListener("keydown", (event) => {
      if (event.key === "Escape") { search.value = ""; filter(); search.blur(); }
    });
  }

  function go(by) {
    const shown = shownFindings();
    if (shown.length === 0) return;
    const now = shown.findIndex((finding) => finding.contains(document.activeElement));
    const next = now < 0 ? (by > 0 ? 0 : shown.length - 1) : Math.min(Math.max(now + by, 0), shown.length - 1);
    shown[next].querySelector("summary").focus();
    shown[next].scrollIntoView({ block: "nearest" });
  }

  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return;
    if (event.target.closest("input, select, textarea, #drawing")) return;
    if (event.key === "/" && search) { event.preventDefault(); search.focus(); search.select(); }
    if (event.key === "j") go(1);
    if (event.key === "k") go(-1);
  });

  // A link may lead into what is closed.
  function reveal() {
    let target = null;
    try { target = document.getElementById(decodeURIComponent(location.hash.slice(1))); } catch { return; }
    if (!target) return;
    if (target.classList.contains("finding") && target.hidden && form) { form.reset(); filter(); }
    for (let element = target; element; element = element.parentElement) {
      if (element.tagName === "DETAILS") element.open = true;
    }
    target.scrollIntoView();
  }
  addEventListener("hashchange", reveal);
  reveal();

  // Paper cannot be clicked: what is shown is printed whole.
  let closed = [];
  addEventListener("beforeprint", () => {
    const most = 60;
    const whole = shownFindings().slice(0, most).flatMap((finding) => [finding, ...finding.querySelectorAll("details")]);
    closed = [...all("#cut details"), ...whole].filter((details) => !details.open);
    for (const details of closed) details.open = true;
  });
  addEventListener("afterprint", () => {
    for (const details of closed) details.open = false;
    closed = [];
  });
})();
