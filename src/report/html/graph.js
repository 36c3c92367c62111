// The graph: places come with the page, this draws, moves and marks.
(() => {
  const scenes = JSON.parse(document.getElementById("scenes").textContent);
  const drawing = document.getElementById("drawing");
  if (!drawing) return;
  const byId = (id) => document.getElementById(id);
  const [view, path, find, group, panel] = ["view", "path", "find", "group", "panel"].map(byId);
  const names = document.createElement("datalist");
  names.id = "names";
  find.after(names);

  let scene = null;
  let box = { x: 0, y: 0, w: 1, h: 1 };
  // The vertex, or else the box, whose blast radius is shown.
  let chosen = -1;
  let boxed = -1;
  let folded = new Set();
  let parts = { vertices: [], edges: [], groups: [] };

  function node(name, attributes, text) {
    const element = document.createElementNS("http://www.w3.org/2000/svg", name);
    for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
    if (text !== undefined) element.textContent = text;
    return element;
  }

  function element(name, text) {
    const made = document.createElement(name);
    if (text !== undefined) made.textContent = text;
    return made;
  }

  // Names for the members of the arrays that `draw::scene` writes.
  function read(raw) {
    return {
      width: raw.width, height: raw.height, paths: raw.paths,
      spaces: raw.spaces.map(([name, area]) => ({ name, area })),
      vertices: raw.vertices.map(([text, role, space, count, area, lines, also]) => ({ text, role, space, count, area, lines, also, from: [], to: [] })),
      edges: raw.edges.map(([from, to, text, label, structural, certainty, points, place]) => ({ from, to, text, label, structural, certainty, points, place })),
    };
  }

  function load() {
    scene = read(scenes[view.value]);
    scene.edges.forEach((edge, at) => {
      scene.vertices[edge.from].to.push(at);
      scene.vertices[edge.to].from.push(at);
    });
    chosen = -1;
    boxed = -1;
    folded = new Set(group.checked ? scene.spaces.keys() : []);
    names.replaceChildren(...scene.vertices.filter((vertex) => vertex.role !== "join").slice(0, 2000).map((vertex) => {
      const option = element("option");
      option.value = vertex.text;
      return option;
    }));
    const before = path.value;
    path.replaceChildren(path.firstElementChild, ...[...document.querySelectorAll(".finding")]
      .filter((finding) => finding.id in scene.paths).map((finding) => {
        const option = element("option", finding.querySelector(".title").textContent);
        option.value = finding.id;
        return option;
      }));
    path.value = before in scene.paths ? before : "";
    draw();
    fitMarked();
    mark();
    show();
  }

  const middle = ([x, y, w, h]) => [x + w / 2, y + h / 2];
  const isFolded = (vertex) => vertex.space !== null && folded.has(vertex.space);

  function drawVertex(vertex, at) {
    const [x, y, w, h] = vertex.area;
    const shape = node("g", { class: "vertex" });
    shape.append(node("title", {}, vertex.text));
    if (vertex.role === "join") {
      shape.append(node("circle", { class: "join", cx: x + w / 2, cy: y + h / 2, r: 6 }));
    } else {
      const look = { entry: "box entry", "crown jewel": "box jewel" }[vertex.role] || "box";
      if (vertex.count > 1) shape.append(node("rect", { class: look, x: x + 4, y: y + 4, width: w, height: h, rx: 6 }));
      shape.append(node("rect", { class: look, x, y, width: w, height: h, rx: 6 }));
      vertex.lines.forEach((line, number) => {
        const isLabel = number === 0 && vertex.lines.length > 1;
        shape.append(node("text", {
          x: x + w / 2, y: y + 18.5 + number * 15, "text-anchor": "middle",
          "font-size": isLabel ? 10 : 12, "font-weight": isLabel ? "normal" : "bold",
        }, line));
      });
    }
    shape.addEventListener("click", () => choose(at));
    return shape;
  }

  function drawEdge(edge) {
    const shape = node("g", {});
    shape.append(node("title", {}, `${edge.text} from ${scene.vertices[edge.from].text} to ${scene.vertices[edge.to].text}`));
    const ends = [scene.vertices[edge.from], scene.vertices[edge.to]];
    const isMoved = ends.some(isFolded);
    const points = isMoved
      ? ends.flatMap((vertex) => middle(isFolded(vertex) ? scene.spaces[vertex.space].area : vertex.area))
      : edge.points;
    const line = { class: edge.structural ? "line structure" : "line", points: points.join(" "), fill: "none" };
    if (edge.structural) line["stroke-dasharray"] = "5 4";
    shape.append(node("polyline", line));
    const [bx, by, ex, ey] = points.slice(-4);
    if (ends[1].role !== "join" && !isMoved) {
      const length = Math.max(Math.hypot(ex - bx, ey - by), 0.1);
      const [dx, dy] = [(ex - bx) / length, (ey - by) / length];
      const [hx, hy] = [ex - 9 * dx, ey - 9 * dy];
      shape.append(node("polygon", { class: "head", points: `${ex},${ey} ${hx - 4 * dy},${hy + 4 * dx} ${hx + 4 * dy},${hy - 4 * dx}` }));
    }
    if (edge.place && !isMoved) {
      shape.append(node("text", {
        class: "tag", x: edge.place[0], y: edge.place[1] + 4, "text-anchor": "middle",
        "font-size": 11, "stroke-width": 3, "paint-order": "stroke",
      }, edge.text));
    }
    return shape;
  }

  function drawSpace(space, at) {
    const [x, y, w, h] = space.area;
    const shape = node("g", { class: "group" });
    const isClosed = folded.has(at);
    const count = scene.vertices.filter((vertex) => vertex.space === at).length;
    shape.append(node("title", {}, `${space.name}: click to ${isClosed ? "expand" : "fold"}, and for the blast radius of all in it`));
    if (isClosed) {
      const [cx, cy] = middle(space.area);
      const name = space.name.length > 50 ? `${space.name.slice(0, 50)}…` : space.name;
      const wide = Math.max(name.length * 7, 90) + 24;
      shape.append(node("rect", { class: "box", x: cx - wide / 2, y: cy - 22, width: wide, height: 44, rx: 8 }));
      shape.append(node("text", { x: cx, y: cy - 4, "text-anchor": "middle", "font-size": 10 }, `${count} positions`));
      shape.append(node("text", { x: cx, y: cy + 13, "text-anchor": "middle", "font-weight": "bold" }, name));
    } else {
      shape.append(node("rect", { class: "space", x, y: y - 16, width: w, height: h + 16, rx: 8 }));
      shape.append(node("text", { class: "faint", x: x + 8, y: y - 3, "font-size": 11 }, space.name));
    }
    shape.addEventListener("click", () => {
      if (isClosed) folded.delete(at); else folded.add(at);
      draw();
      chooseSpace(at);
    });
    return shape;
  }

  function draw() {
    const all = node("g", { "font-size": 12 });
    parts = { vertices: [], edges: [], groups: [] };
    const open = scene.spaces.map((space, at) => drawSpace(space, at));
    parts.groups = open;
    open.forEach((shape, at) => { if (!folded.has(at)) all.append(shape); });
    const seen = new Set();
    scene.edges.forEach((edge, at) => {
      const [from, to] = [scene.vertices[edge.from], scene.vertices[edge.to]];
      const ends = [from, to].map((vertex, end) => isFolded(vertex) ? `n${vertex.space}` : `v${[edge.from, edge.to][end]}`);
      if (ends[0] === ends[1] && isFolded(from)) return;
      const key = ends.join(" ");
      if ((isFolded(from) || isFolded(to)) && seen.has(key)) return;
      seen.add(key);
      parts.edges[at] = drawEdge(edge);
      all.append(parts.edges[at]);
    });
    open.forEach((shape, at) => { if (folded.has(at)) all.append(shape); });
    scene.vertices.forEach((vertex, at) => {
      if (isFolded(vertex)) return;
      parts.vertices[at] = drawVertex(vertex, at);
      all.append(parts.vertices[at]);
    });
    drawing.replaceChildren(all);
  }

  function look() {
    drawing.setAttribute("viewBox", `${box.x} ${box.y} ${box.w} ${box.h}`);
  }

  function fit() {
    box = { x: -10, y: -10, w: scene.width + 20, h: scene.height + 20 };
    look();
  }

  // Shows what is marked, as large as it can be.
  function fitMarked() {
    const found = marked();
    if (found === null || found.held.size === 0) { fit(); return; }
    const areas = [...found.held].map((at) => scene.vertices[at])
      .map((vertex) => isFolded(vertex) ? scene.spaces[vertex.space].area : vertex.area);
    const [left, top] = [0, 1].map((side) => Math.min(...areas.map((area) => area[side])) - 20);
    const [right, low] = [0, 1].map((side) => Math.max(...areas.map((area) => area[side] + area[side + 2])) + 20);
    box = { x: left, y: top, w: right - left, h: low - top };
    look();
  }

  function zoom(by, cx = box.x + box.w / 2, cy = box.y + box.h / 2) {
    const factor = Math.min(Math.max(by, 40 / box.w), (20 * scene.width + 400) / box.w);
    box = { x: cx - (cx - box.x) * factor, y: cy - (cy - box.y) * factor, w: box.w * factor, h: box.h * factor };
    look();
  }

  function centre(at) {
    const vertex = scene.vertices[at];
    const [cx, cy] = middle(isFolded(vertex) ? scene.spaces[vertex.space].area : vertex.area);
    const size = Math.min(box.w, 900);
    box = { x: cx - size / 2, y: cy - (box.h / box.w) * size / 2, w: size, h: (box.h / box.w) * size };
    look();
  }

  // The positions that a vertex or a box stands for: who holds all that a join needs holds the join.
  function standsFor(at) {
    const vertex = scene.vertices[at];
    return vertex.role === "join" ? [at, ...vertex.from.map((edge) => scene.edges[edge].from)] : [at];
  }

  function starts() {
    if (chosen >= 0) return standsFor(chosen);
    const inside = scene.vertices.map((vertex, at) => at).filter((at) => scene.vertices[at].space === boxed);
    return inside.filter((at) => scene.vertices[at].role !== "join");
  }

  // All that someone who holds these comes to hold: a join only when everything that leads to it is held.
  function blast(start) {
    const held = new Set(start);
    const edges = new Set();
    const open = [...start];
    while (open.length > 0) {
      for (const at of scene.vertices[open.pop()].to) {
        const next = scene.edges[at].to;
        const vertex = scene.vertices[next];
        if (vertex.role === "join" && !vertex.from.every((edge) => held.has(scene.edges[edge].from))) continue;
        for (const edge of vertex.role === "join" ? vertex.from : [at]) edges.add(edge);
        if (!held.has(next)) { held.add(next); open.push(next); }
      }
    }
    return { held, edges };
  }

  function marked() {
    if (chosen >= 0 || boxed >= 0) return blast(starts());
    if (path.value === "") return null;
    const edges = new Set(scene.paths[path.value]);
    const held = new Set([...edges].flatMap((at) => [scene.edges[at].from, scene.edges[at].to]));
    return { held, edges };
  }

  function mark() {
    const found = marked();
    const style = (shape, isIn) => {
      shape.classList.toggle("dim", found !== null && !isIn);
      shape.classList.toggle("shine", found !== null && isIn);
    };
    parts.vertices.forEach((shape, at) => {
      style(shape, found !== null && found.held.has(at));
      shape.classList.toggle("chosen", at === chosen || boxed >= 0 && scene.vertices[at].space === boxed);
    });
    parts.edges.forEach((shape, at) => style(shape, found !== null && found.edges.has(at)));
    parts.groups.forEach((shape, at) => {
      if (folded.has(at)) style(shape, found !== null && [...found.held].some((vertex) => scene.vertices[vertex].space === at));
    });
  }

  function chooseSpace(at) {
    chosen = -1;
    boxed = at;
    mark();
    show();
  }

  function choose(at) {
    chosen = at;
    boxed = -1;
    const vertex = scene.vertices[at];
    if (isFolded(vertex)) { folded.delete(vertex.space); draw(); }
    mark();
    show();
  }

  function list(title, edges, end) {
    if (edges.length === 0) return [];
    const items = element("ul");
    for (const at of edges.slice(0, 40)) {
      const edge = scene.edges[at];
      const item = element("li");
      const button = element("button", `${edge.text || "together with others"}: ${scene.vertices[edge[end]].text}`);
      button.type = "button";
      button.addEventListener("click", () => { choose(edge[end]); centre(edge[end]); });
      item.append(button);
      items.append(item);
    }
    if (edges.length > 40) items.append(element("li", `and ${edges.length - 40} more`));
    return [element("h4", title), items];
  }

  function show() {
    if (chosen < 0 && boxed < 0) {
      panel.replaceChildren(element("p", `${scene.vertices.length} positions and ${scene.edges.length} edges; alike ones are one, with a count. Click a position.`));
      return;
    }
    const from = new Set(starts());
    const names = [...from].map((at) => scene.vertices[at]).filter((vertex) => vertex.role !== "join").map((vertex) => vertex.text);
    const reached = [...blast(from).held].filter((at) => !from.has(at)).map((at) => scene.vertices[at]).filter((vertex) => vertex.role !== "join");
    const jewels = reached.filter((vertex) => vertex.role === "crown jewel").map((vertex) => vertex.text);
    const radius = element("p", `Blast radius: ${reached.length} positions of this view. ${jewels.length > 0 ? `Crown jewels in it: ${jewels.join(", ")}.` : "No crown jewel is in it."}`);
    if (chosen < 0) {
      const few = names.length > 12 ? [...names.slice(0, 12), `${names.length - 12} more`] : names;
      panel.replaceChildren(element("h3", scene.spaces[boxed].name), element("p", `Holding ${few.join(", ")}`), radius);
      return;
    }
    const vertex = scene.vertices[chosen];
    const content = vertex.role === "join"
      ? [element("h3", "All of these"), element("p", `Holding ${names.join(" and ")}`), radius]
      : [element("h3", vertex.text), element("p", `${vertex.role}${vertex.count > 1 ? `, stands for ${vertex.count}` : ""}`), radius];
    if (vertex.also.length > 0) content.push(element("p", `Also stands for ${vertex.also.join(", ")}`));
    content.push(...list("How it is got", vertex.from, "from"), ...list("What it gives", vertex.to, "to"));
    panel.replaceChildren(...content);
  }

  function clear() {
    chosen = -1;
    boxed = -1;
    path.value = "";
    find.value = "";
    mark();
    show();
  }

  function next(by) {
    const order = scene.vertices.map((vertex, at) => at).filter((at) => scene.vertices[at].role !== "join");
    if (order.length === 0) return;
    const now = order.indexOf(chosen);
    choose(order[(now + by + order.length) % order.length]);
    centre(chosen);
  }

  const place = (event) => {
    const matrix = drawing.getScreenCTM();
    return matrix === null ? [0, 0] : [(event.clientX - matrix.e) / matrix.a, (event.clientY - matrix.f) / matrix.d];
  };
  drawing.addEventListener("wheel", (event) => {
    if (!event.ctrlKey && !event.metaKey) return;
    event.preventDefault();
    zoom(event.deltaY > 0 ? 1.2 : 1 / 1.2, ...place(event));
  }, { passive: false });
  let drag = null;
  drawing.addEventListener("pointerdown", (event) => { drag = { from: place(event), moved: false }; });
  drawing.addEventListener("pointermove", (event) => {
    if (drag === null || event.buttons === 0) return;
    const [x, y] = place(event);
    const [dx, dy] = [x - drag.from[0], y - drag.from[1]];
    if (!drag.moved && Math.hypot(dx, dy) < box.w / 200) return;
    drag.moved = true;
    box.x -= dx;
    box.y -= dy;
    look();
  });
  addEventListener("pointerup", () => { setTimeout(() => { drag = null; }, 0); });
  drawing.addEventListener("click", (event) => { if (drag !== null && drag.moved) event.stopPropagation(); }, true);

  drawing.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const step = box.w / 8;
    const keys = {
      ArrowLeft: () => { box.x -= step; look(); }, ArrowRight: () => { box.x += step; look(); },
      ArrowUp: () => { box.y -= step; look(); }, ArrowDown: () => { box.y += step; look(); },
      "+": () => zoom(1 / 1.3), "=": () => zoom(1 / 1.3), "-": () => zoom(1.3), "0": fit,
      n: () => next(1), p: () => next(-1), Escape: clear, Enter: () => { if (chosen >= 0) choose(chosen); },
    };
    if (event.key in keys) { event.preventDefault(); keys[event.key](); }
  });
  byId("nearer").addEventListener("click", () => zoom(1 / 1.3));
  byId("farther").addEventListener("click", () => zoom(1.3));
  byId("fit").addEventListener("click", fit);
  byId("clear").addEventListener("click", clear);
  view.addEventListener("change", load);
  group.addEventListener("change", () => {
    folded = new Set(group.checked ? scene.spaces.keys() : []);
    draw();
    mark();
  });
  path.addEventListener("change", () => { chosen = -1; boxed = -1; mark(); show(); fitMarked(); });
  find.form.addEventListener("submit", (event) => event.preventDefault());
  find.addEventListener("change", () => {
    const wanted = find.value.toLowerCase();
    if (wanted === "") return;
    const texts = scene.vertices.map((vertex) => [vertex.text, ...vertex.also].join("\n").toLowerCase());
    const exact = scene.vertices.findIndex((vertex) => vertex.text.toLowerCase() === wanted);
    const at = exact >= 0 ? exact : texts.findIndex((text) => text.includes(wanted));
    if (at < 0) { panel.replaceChildren(element("p", `No position is called ${find.value}.`)); return; }
    choose(at);
    centre(at);
  });
  for (const button of document.querySelectorAll("button.show")) {
    button.addEventListener("click", () => {
      if (!(button.dataset.path in scene.paths)) { view.selectedIndex = 0; load(); }
      chosen = -1;
      boxed = -1;
      path.value = button.dataset.path;
      mark();
      show();
      fitMarked();
      byId("graph").scrollIntoView();
      drawing.focus({ preventScroll: true });
    });
  }
  load();
})();
