"use strict";
// All text comes from the data and goes through textContent or attributes: nothing of it is ever markup.
const data = JSON.parse(document.getElementById("data").textContent);
const { steps, edges } = data;
const SIGNS = { pass: "✓", fail: "✗", skip: "⊘" };
const byId = (id) => document.getElementById(id);
const seconds = (value) => `${value.toFixed(2)} s`;
const edgeName = (edge) => `${steps[edge.from].name} → ${steps[edge.to].name}`;

function fill(element, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (value === undefined || value === null || value === false) continue;
    element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children.filter((child) => child !== null && child !== undefined));
  return element;
}
const html = (tag, attributes = {}, ...children) => fill(document.createElement(tag), attributes, children);
const svg = (tag, attributes = {}, ...children) =>
  fill(document.createElementNS("http://www.w3.org/2000/svg", tag), attributes, children);
const sign = (kind) => html("span", { class: `sign ${kind}`, "aria-hidden": "true" }, SIGNS[kind]);

/** The beginning of a text that takes at most so many columns; wide characters take two. */
function short(text, columns) {
  let room = columns;
  let shown = "";
  for (const character of text) {
    room -= character.codePointAt(0) >= 0x1100 ? 2 : 1;
    if (room < 1) return `${shown}…`;
    shown += character;
  }
  return text;
}

// ---- The graph

const canvas = byId("canvas");
const [boxWidth, boxHeight] = data.step;
const view = { x: 0, y: 0, scale: 1, isChosen: false };
const scene = svg("g");
const edgeLayer = svg("g");
const nodeLayer = svg("g");
const children = steps.map(() => []);
const parents = steps.map(() => []);
const edgesOf = steps.map(() => []);
edges.forEach((edge, at) => {
  children[edge.from].push(edge.to);
  parents[edge.to].push(edge.from);
  edgesOf[edge.from].push(at);
  edgesOf[edge.to].push(at);
});

function path(edge) {
  const [fromX, fromY] = steps[edge.from].at;
  const [toX, toY] = steps[edge.to].at;
  const columns = edge.lanes.length + 1;
  const pitch = (toX - fromX) / columns;
  let x = fromX + boxWidth;
  let y = fromY + boxHeight / 2;
  let line = `M${x} ${y}`;
  const curve = (nextX, nextY) => {
    const bend = Math.max(Math.abs(nextX - x) / 2, 20);
    line += `C${x + bend} ${y} ${nextX - bend} ${nextY} ${nextX} ${nextY}`;
    [x, y] = [nextX, nextY];
  };
  edge.lanes.forEach((lane, at) => {
    const left = fromX + pitch * (at + 1);
    curve(left, lane);
    x = left + boxWidth;
    line += `H${x}`;
  });
  const middle = [(x + toX) / 2, (y + toY + boxHeight / 2) / 2];
  curve(toX, toY + boxHeight / 2);
  return { line, middle };
}

function marker(id) {
  return svg(
    "marker",
    { id, viewBox: "0 0 8 8", refX: 7, refY: 4, markerWidth: 9, markerHeight: 9, markerUnits: "userSpaceOnUse", orient: "auto" },
    svg("path", { d: "M0 0L8 4L0 8z" }),
  );
}

const edgeNodes = edges.map((edge, at) => {
  const { line, middle } = path(edge);
  const arrow = edge.sign === "fail" ? "arrow-fail" : "arrow";
  return svg(
    "g",
    { class: `edge ${edge.sign}`, "data-edge": at },
    svg("title", {}, `${edgeName(edge)}: ${edge.verdict}`),
    svg("path", { class: "hit", d: line }),
    svg("path", { class: "line", d: line, "marker-end": `url(#${arrow})` }),
    edge.sign === "fail" ? svg("text", { x: middle[0], y: middle[1] + 5, "aria-hidden": "true" }, SIGNS.fail) : null,
  );
});

const stepNodes = steps.map((step, at) => {
  const small = step.runs.length > 0 ? `${step.status}, ${seconds(step.seconds)}` : step.status;
  const label = `${step.name}, ${step.status}${step.runs.length > 0 ? `, ${seconds(step.seconds)}` : ""}`;
  return svg(
    "g",
    {
      class: `node ${step.sign}`, transform: `translate(${step.at[0]} ${step.at[1]})`, "data-step": at,
      role: "button", tabindex: at === 0 ? 0 : -1, "aria-label": label,
    },
    svg("title", {}, label),
    svg("rect", { class: "box", width: boxWidth, height: boxHeight, rx: 7 }),
    svg("text", { class: "sign", x: 10, y: 26, "aria-hidden": "true" }, SIGNS[step.sign]),
    svg("text", { class: "label", x: 32, y: 17, "clip-path": "url(#inside)" }, short(step.name, 20)),
    svg("text", { class: "small", x: 32, y: 32, "clip-path": "url(#inside)" }, short(small, 25)),
  );
});

fill(canvas, { role: "group", "aria-label": `Graph of ${steps.length} steps. Arrow keys move, Enter opens.` }, [
  svg(
    "defs",
    {},
    marker("arrow"),
    marker("arrow-fail"),
    svg("clipPath", { id: "inside" }, svg("rect", { width: boxWidth - 6, height: boxHeight })),
  ),
  scene,
]);
scene.append(edgeLayer, nodeLayer);
edgeLayer.append(...edgeNodes);
nodeLayer.append(...stepNodes);

function show() {
  scene.setAttribute("transform", `translate(${view.x} ${view.y}) scale(${view.scale})`);
  canvas.classList.toggle("far", view.scale < 0.5);
  canvas.classList.toggle("farther", view.scale < 0.22);
}

function zoom(factor, x = canvas.clientWidth / 2, y = canvas.clientHeight / 2) {
  view.isChosen = true;
  const scale = Math.min(Math.max(view.scale * factor, 0.005), 3);
  view.x = x - ((x - view.x) * scale) / view.scale;
  view.y = y - ((y - view.y) * scale) / view.scale;
  view.scale = scale;
  show();
}

/** Shows these steps, or all, as large as they fit. */
function fit(chosen = steps) {
  const [width, height] = [canvas.clientWidth, canvas.clientHeight];
  if (chosen.length === 0 || width === 0 || height === 0) return;
  let [left, top, right, bottom] = [Infinity, Infinity, -Infinity, -Infinity];
  for (const { at: [x, y] } of chosen) {
    left = Math.min(left, x);
    top = Math.min(top, y);
    right = Math.max(right, x + boxWidth);
    bottom = Math.max(bottom, y + boxHeight);
  }
  const head = 44;
  view.scale = Math.min((width - 32) / (right - left), (height - head - 16) / (bottom - top), 1.15);
  view.x = (width - (left + right) * view.scale) / 2;
  view.y = head + (height - head - 16 - (bottom - top) * view.scale) / 2 - top * view.scale;
  show();
}

/** Moves the graph so that a step is seen, if it is not. */
function reveal(at) {
  const [x, y] = steps[at].at;
  const [left, top] = [view.x + x * view.scale, view.y + y * view.scale];
  const [right, bottom] = [left + boxWidth * view.scale, top + boxHeight * view.scale];
  const [width, height] = [canvas.clientWidth, canvas.clientHeight];
  if (left < 8 || right > width - 8) view.x += width / 2 - (left + right) / 2;
  if (top < 44 || bottom > height - 8) view.y += height / 2 - (top + bottom) / 2;
  show();
}

canvas.addEventListener("wheel", (event) => {
  event.preventDefault();
  const box = canvas.getBoundingClientRect();
  zoom(Math.exp(-event.deltaY * 0.0016), event.clientX - box.left, event.clientY - box.top);
}, { passive: false });

let drag = null;
canvas.addEventListener("pointerdown", (event) => {
  if (event.button === 0) drag = { x: event.clientX, y: event.clientY, moved: false };
});
canvas.addEventListener("pointermove", (event) => {
  if (!drag) return;
  const [byX, byY] = [event.clientX - drag.x, event.clientY - drag.y];
  if (!drag.moved && Math.hypot(byX, byY) < 4) return;
  if (!drag.moved) canvas.setPointerCapture(event.pointerId);
  canvas.classList.add("dragging");
  drag = { x: event.clientX, y: event.clientY, moved: true };
  view.isChosen = true;
  view.x += byX;
  view.y += byY;
  show();
});
for (const end of ["pointerup", "pointercancel"]) {
  canvas.addEventListener(end, () => {
    canvas.classList.remove("dragging");
    // The click comes behind the end of a drag.
    setTimeout(() => { drag = null; });
  });
}
canvas.addEventListener("click", (event) => {
  if (drag?.moved) return;
  const target = event.target.closest("[data-step], [data-edge]");
  if (!target) return;
  if (target.dataset.step !== undefined) open("step", Number(target.dataset.step), target);
  else open("edge", Number(target.dataset.edge), stepNodes[edges[Number(target.dataset.edge)].from]);
});

/** Of elements of which one is in the order of tabs, makes it this one, and gives it the focus. */
function rove(elements, at, focus = true) {
  for (const element of elements) if (element.tabIndex === 0) element.tabIndex = -1;
  elements[at].tabIndex = 0;
  if (focus) elements[at].focus({ preventScroll: elements === stepNodes });
}

// Down and up lead through all steps, column by column.
const walk = steps.map((_, at) => at).sort((one, other) => {
  const [a, b] = [steps[one].at, steps[other].at];
  return a[0] - b[0] || a[1] - b[1];
});
const placeInWalk = new Map(walk.map((step, place) => [step, place]));

canvas.addEventListener("keydown", (event) => {
  const target = event.target.closest("[data-step]");
  if (event.key === "+" || event.key === "=") return zoom(1.3);
  if (event.key === "-") return zoom(1 / 1.3);
  if (event.key === "0") return fit();
  if (!target) return;
  const at = Number(target.dataset.step);
  const nearest = (others) => [...others].sort((one, other) => Math.abs(steps[one].at[1] - steps[at].at[1]) - Math.abs(steps[other].at[1] - steps[at].at[1]))[0];
  const moves = {
    ArrowDown: () => walk[placeInWalk.get(at) + 1],
    ArrowUp: () => walk[placeInWalk.get(at) - 1],
    ArrowRight: () => nearest(children[at]),
    ArrowLeft: () => nearest(parents[at]),
    Home: () => walk[0],
    End: () => walk[walk.length - 1],
  };
  if (event.key === "Enter" || event.key === " ") {
    event.preventDefault();
    open("step", at, target);
  } else if (moves[event.key]) {
    event.preventDefault();
    const next = moves[event.key]();
    if (next === undefined) return;
    rove(stepNodes, next);
    reveal(next);
  }
});
byId("smaller").addEventListener("click", () => zoom(1 / 1.4));
byId("larger").addEventListener("click", () => zoom(1.4));
byId("fit").addEventListener("click", () => {
  view.isChosen = false;
  fit(chosenSteps());
});

// ---- The lists

const lists = {
  step: { tab: byId("tab-steps"), list: byId("list-steps"), items: null },
  edge: { tab: byId("tab-edges"), list: byId("list-edges"), items: null },
};
let listed = "step";

function items(kind) {
  const known = lists[kind];
  if (known.items) return known.items;
  const all = kind === "step" ? steps : edges;
  known.items = all.map((item, at) => {
    const name = kind === "step" ? item.name : edgeName(item);
    const remark = kind === "edge" ? item.verdict : item.runs.length > 0 ? seconds(item.seconds) : item.status;
    const button = html(
      "button",
      {
        type: "button", tabindex: at === 0 ? 0 : -1, title: name,
        "aria-label": `${name}, ${kind === "step" ? item.status : item.verdict}`,
      },
      sign(item.sign),
      html("span", { class: "name" }, name),
      html("span", { class: "quiet" }, remark),
    );
    button.addEventListener("click", () => open(kind, at, button));
    known.list.append(html("li", {}, button));
    return button;
  });
  return known.items;
}

for (const [kind, { list, tab }] of Object.entries(lists)) {
  list.addEventListener("keydown", (event) => {
    const shown = items(kind).filter((button) => !button.parentElement.hidden);
    const at = shown.indexOf(document.activeElement);
    const next = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: shown.length - 1 }[event.key];
    if (next === undefined || at < 0) return;
    event.preventDefault();
    if (!shown[next]) return;
    rove(items(kind), items(kind).indexOf(shown[next]));
  });
  tab.addEventListener("click", () => choose(kind));
  tab.addEventListener("keydown", (event) => {
    if (event.key !== "ArrowLeft" && event.key !== "ArrowRight") return;
    choose(kind === "step" ? "edge" : "step");
    lists[listed].tab.focus();
  });
}

function choose(kind) {
  listed = kind;
  for (const [other, { list, tab }] of Object.entries(lists)) {
    tab.setAttribute("aria-selected", String(other === kind));
    tab.tabIndex = other === kind ? 0 : -1;
    list.hidden = other !== kind;
  }
  items(kind);
  sift();
}

const isChosen = (name, kind) =>
  name.toLowerCase().includes(byId("filter").value.trim().toLowerCase()) && (!byId("only").checked || kind === "fail");
const isChosenEdge = (edge) => isChosen(edgeName(edge), edge.sign);
function chosenSteps() {
  const chosen = new Set(steps.filter((step) => isChosen(step.name, step.sign)));
  for (const edge of edges) {
    // An edge that breaks is seen with both of its ends.
    if (byId("only").checked && isChosenEdge(edge)) chosen.add(steps[edge.from]).add(steps[edge.to]);
  }
  return [...chosen];
}

/** Shows what the filter and the switch let through. */
function sift() {
  const all = byId("filter").value.trim() === "" && !byId("only").checked;
  const chosen = new Set(chosenSteps());
  steps.forEach((step, at) => stepNodes[at].classList.toggle("dim", !chosen.has(step)));
  edges.forEach((edge, at) => {
    const isShown = all || (byId("only").checked ? isChosenEdge(edge) : chosen.has(steps[edge.from]) && chosen.has(steps[edge.to]));
    edgeNodes[at].classList.toggle("dim", !isShown);
  });
  let count = 0;
  let first = null;
  items(listed).forEach((button, at) => {
    const isShown = listed === "step" ? isChosen(steps[at].name, steps[at].sign) : isChosenEdge(edges[at]);
    button.parentElement.hidden = !isShown;
    if (isShown) {
      count += 1;
      first ??= at;
    }
  });
  const current = items(listed).findIndex((button) => button.tabIndex === 0);
  if (first !== null && items(listed)[current]?.parentElement.hidden !== false) rove(items(listed), first, false);
  const total = listed === "step" ? steps.length : edges.length;
  byId("found").textContent = all ? "" : `${count} of ${total}`;
}
byId("filter").addEventListener("input", sift);
byId("filter").addEventListener("keydown", (event) => {
  if (event.key !== "Enter") return;
  // The key would press the button that gets the focus.
  event.preventDefault();
  fit(chosenSteps());
  items(listed).find((button) => !button.parentElement.hidden)?.focus();
});
byId("only").addEventListener("change", () => {
  sift();
  fit(chosenSteps());
});

// ---- The runs in time

const runs = steps
  .flatMap((step, at) => step.runs.filter((run) => run.slot).map((run) => ({ step, at, run, slot: run.slot })))
  .sort((one, other) => one.slot.start_seconds - other.slot.start_seconds);
let runNodes = [];

function drawTimes() {
  const scroll = byId("times-scroll");
  const focused = runNodes.indexOf(document.activeElement);
  scroll.replaceChildren();
  if (runs.length === 0) {
    byId("times-note").textContent = "No run, or none that says when it was made.";
    return;
  }
  const workers = Math.max(...runs.map(({ slot }) => slot.worker)) + 1;
  const end = Math.max(...runs.map(({ slot }) => slot.end_seconds), 1e-6);
  byId("times-note").textContent = `${runs.length} runs, ${workers === 1 ? "one at a time" : `up to ${workers} at once`}`;
  const [left, head, row] = [22, 18, 22];
  const width = Math.max(scroll.clientWidth - 24, Math.min((runs.length / workers) * 14, 24_000));
  const scale = (width - left - 8) / end;
  const raw = (end / (width - left)) * 90;
  const power = 10 ** Math.floor(Math.log10(raw));
  const pace = [1, 2, 5, 10].map((factor) => factor * power).find((candidate) => candidate >= raw);
  const axis = svg("g", { class: "axis", "aria-hidden": "true" });
  for (let tick = 0; tick * pace <= end; tick += 1) {
    const x = left + tick * pace * scale;
    axis.append(svg("line", { x1: x, x2: x, y1: head - 4, y2: head + workers * row }));
    if (x < width - 36) axis.append(svg("text", { x: x + 3, y: 12 }, `${Number((tick * pace).toPrecision(6))} s`));
  }
  for (let worker = 0; worker < workers; worker += 1) {
    axis.append(svg("text", { x: 2, y: head + worker * row + 15 }, String(worker + 1)));
  }
  runNodes = runs.map(({ step, at, run, slot }, place) => {
    const x = left + slot.start_seconds * scale;
    const wide = Math.max((slot.end_seconds - slot.start_seconds) * scale, 2);
    const y = head + slot.worker * row;
    const said = `${step.name}, ${run.kinds}, ${run.sign === "fail" ? "failed" : "passed"}, ${seconds(slot.start_seconds)} to ${seconds(slot.end_seconds)}, place ${slot.worker + 1}`;
    const bar = { x, y: y + 2, width: wide, height: row - 4, rx: 3 };
    const node = svg(
      "g",
      { class: `run ${run.sign}`, role: "button", tabindex: place === 0 ? 0 : -1, "aria-label": said },
      svg("title", {}, said),
      svg("rect", { class: "bar", ...bar }),
      run.sign === "fail" ? svg("rect", { class: "hatch", ...bar }) : null,
      wide > 40 ? svg("text", { x: x + 5, y: y + 15 }, short(`${SIGNS[run.sign]} ${step.name}`, Math.floor((wide - 8) / 6.6))) : null,
    );
    node.addEventListener("click", () => open("step", at, node));
    return node;
  });
  const hatch = svg("pattern", { id: "hatch", width: 7, height: 7, patternUnits: "userSpaceOnUse", patternTransform: "rotate(45)" }, svg("path", { d: "M0 0V7" }));
  scroll.append(
    svg(
      "svg",
      { width, height: head + workers * row + 2, role: "group", "aria-label": `${runs.length} runs in time. Arrow keys move, Enter opens.` },
      svg("defs", {}, hatch),
      axis,
      ...runNodes,
    ),
  );
  if (focused >= 0) rove(runNodes, focused);
}

byId("times-scroll").addEventListener("keydown", (event) => {
  const at = runNodes.indexOf(document.activeElement);
  if (at < 0) return;
  const next = { ArrowRight: at + 1, ArrowDown: at + 1, ArrowLeft: at - 1, ArrowUp: at - 1, Home: 0, End: runNodes.length - 1 }[event.key];
  if (event.key === "Enter" || event.key === " ") {
    event.preventDefault();
    open("step", runs[at].at, runNodes[at]);
  } else if (next !== undefined) {
    event.preventDefault();
    if (runNodes[next]) rove(runNodes, next);
  }
});

// ---- The details

// Where the details lie over all else, as in the style.
const OVERLAID = "(max-width: 1100px)";
const details = byId("details");
let opener = null;

function select(kind, at) {
  for (const old of document.querySelectorAll(".selected, .near")) old.classList.remove("selected", "near");
  if (at === null) return;
  lists[kind].items?.[at].classList.add("selected");
  (kind === "step" ? stepNodes : edgeNodes)[at].classList.add("selected");
  if (kind === "step") {
    for (const edge of edgesOf[at]) edgeNodes[edge].classList.add("near");
    runs.forEach((run, place) => run.at === at && runNodes[place].classList.add("selected"));
  }
}

function open(kind, at, from, isFocused = true) {
  if (from && !details.contains(from)) opener = from;
  const wasHidden = details.hidden;
  details.replaceChildren(...(kind === "step" ? stepDetails(steps[at], at) : edgeDetails(edges[at])));
  details.hidden = false;
  details.scrollTop = 0;
  if (isFocused) details.querySelector("h2").focus();
  if (wasHidden) {
    drawTimes();
    if (!view.isChosen) fit(chosenSteps());
  }
  select(kind, at);
  reveal(kind === "step" ? at : edges[at].from);
}

function close() {
  if (details.hidden) return;
  details.hidden = true;
  select("step", null);
  drawTimes();
  if (!view.isChosen) fit(chosenSteps());
  opener?.focus();
}

document.addEventListener("keydown", (event) => {
  if (event.key === "Escape") close();
});

function head(kind, words, title) {
  const shut = html("button", { type: "button", "aria-label": "Close" }, "✕");
  shut.addEventListener("click", close);
  return html("header", {}, sign(kind), html("h2", { tabindex: -1 }, title), html("span", { class: "quiet" }, words), shut);
}

function pairs(entries) {
  const list = html("dl");
  for (const [name, value] of entries) {
    if (value) list.append(html("dt", {}, name), html("dd", {}, value));
  }
  return list;
}

const paragraphs = (texts, word) => texts.map((text) => html("p", {}, `${word}${text}`));

function links(title, chosen) {
  if (chosen.length === 0) return [];
  const row = html("div", { class: "links" });
  for (const at of chosen) {
    const button = html("button", { type: "button" }, sign(edges[at].sign), ` ${edgeName(edges[at])}: ${edges[at].verdict}`);
    button.addEventListener("click", () => open("edge", at, button));
    row.append(button);
  }
  return [html("h3", {}, title), row];
}

function table(caption, heads, rows) {
  return html(
    "div",
    { class: "scroll" },
    html(
      "table",
      {},
      caption ? html("caption", {}, caption) : null,
      html("thead", {}, html("tr", {}, ...heads.map((text) => html("th", { scope: "col" }, text)))),
      html("tbody", {}, ...rows),
    ),
  );
}

function copied(text) {
  const button = html("button", { type: "button" }, "Copy");
  button.addEventListener("click", () => {
    navigator.clipboard.writeText(text).then(
      () => { button.textContent = "Copied"; },
      () => { button.textContent = "The browser does not allow it: select the text"; },
    );
  });
  return button;
}

function stepDetails(step, at) {
  const parts = [head(step.sign, step.status, step.name)];
  if (step.message) parts.push(html("p", { class: `message ${step.sign}` }, step.message));
  if (step.hint) parts.push(html("p", {}, `Hint: ${step.hint}`));
  parts.push(...paragraphs(step.notes, "Note: "));
  parts.push(pairs([["Script", step.script]]));
  parts.push(...links("Comes from", edgesOf[at].filter((edge) => edges[edge].to === at)));
  parts.push(...links("Goes to", edgesOf[at].filter((edge) => edges[edge].from === at)));
  // What failed is what one looks for.
  const ordered = [...step.runs].sort((one, other) => (one.sign === "pass") - (other.sign === "pass"));
  for (const run of ordered) parts.push(runDetails(run));
  return parts;
}

function runDetails(run) {
  const parts = [html("h3", {}, sign(run.sign), ` Run: ${run.kinds}`)];
  parts.push(pairs([["Ended", run.ended], ["Used", run.used], ["Folder", run.folder]]));
  for (const quote of run.quotes) {
    parts.push(html("h3", {}, quote.name));
    if (quote.before > 0) parts.push(html("p", { class: "quiet" }, `${quote.before} bytes before`));
    parts.push(html("pre", { tabindex: 0 }, quote.text));
  }
  if (run.command) {
    parts.push(html("h3", {}, "Repeat it"), html("pre", { tabindex: 0 }, run.command), copied(run.command));
  }
  if (run.inputs.length > 0) {
    const rows = run.inputs.map((input) => html("tr", {}, html("td", {}, input.name), html("td", {}, input.source), html("td", {}, input.path)));
    parts.push(html("h3", {}, "Inputs"), table(null, ["Input", "From", "Path"], rows));
  }
  if (run.outputs.length > 0) parts.push(html("h3", {}, "Outputs"));
  for (const output of run.outputs) {
    parts.push(pairs([[output.name, output.path]]));
    for (const file of output.files) {
      const rows = file.columns.map(([name, type]) => html("tr", {}, html("td", {}, name), html("td", { class: "type" }, type)));
      if (rows.length > 0) parts.push(table(file.text, ["Column", "Type"], rows));
      else parts.push(html("p", {}, file.text));
      parts.push(...paragraphs(file.findings, "Finding: "));
      if (file.more) parts.push(html("p", { class: "quiet" }, file.more));
    }
    if (output.more) parts.push(html("p", { class: "quiet" }, output.more));
  }
  if (run.observed.length > 0) parts.push(html("h3", {}, "Observed"));
  for (const seen of run.observed) {
    const names = html("ul", {}, ...seen.names.map((name) => html("li", {}, name)));
    const more = seen.more ? html("p", { class: "quiet" }, seen.more) : null;
    parts.push(html("details", {}, html("summary", {}, `${seen.title} (${seen.count})`), names, more));
  }
  return html("section", {}, ...parts);
}

function edgeDetails(edge) {
  const parts = [head(edge.sign, edge.verdict, edgeName(edge))];
  for (const issue of edge.issues) {
    parts.push(html("p", { class: `message ${edge.sign}` }, issue.text));
    if (issue.hint) parts.push(html("p", {}, `Hint: ${issue.hint}`));
  }
  parts.push(...paragraphs(edge.notes, "Note: "));
  const ends = html("div", { class: "links" });
  for (const at of [edge.from, edge.to]) {
    const button = html("button", { type: "button" }, sign(steps[at].sign), ` ${steps[at].name}`);
    button.addEventListener("click", () => open("step", at, button));
    ends.append(button);
  }
  parts.push(html("h3", {}, "Steps"), ends);
  const words = { fits: "✓ fits", differs: "≈ differs", breaks: "✗ breaks", "": "" };
  for (const bound of edge.bindings) {
    const part = [html("h3", {}, `${bound.output} → ${bound.input}`), html("p", { class: "quiet" }, bound.rule)];
    for (const compared of bound.tables) {
      const rows = compared.rows.map((row) =>
        html(
          "tr",
          { class: row.sign },
          html("td", {}, row.column),
          html("td", { class: "type" }, row.found ?? "missing"),
          html("td", { class: "type" }, row.expected ?? "nothing said"),
          html("td", { title: row.remark }, words[row.sign]),
        ),
      );
      part.push(table(compared.file, ["Column", "Written", "Expected", ""], rows));
      if (compared.more) part.push(html("p", { class: "quiet" }, compared.more));
    }
    parts.push(html("section", {}, ...part));
  }
  return parts;
}

// ---- The whole

const themes = ["system", "light", "dark"];
byId("theme").addEventListener("click", () => {
  const now = document.documentElement.dataset.theme ?? "system";
  const next = themes[(themes.indexOf(now) + 1) % themes.length];
  if (next === "system") delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = next;
  byId("theme").textContent = `Theme: ${next}`;
});

byId("tab-steps").textContent = `Steps (${steps.length})`;
byId("tab-edges").textContent = `Edges (${edges.length})`;
choose("step");
drawTimes();
fit();
// What is to blame is what one looks for first, where it leaves room for all else.
if (data.culprit && !window.matchMedia(OVERLAID).matches) open(...data.culprit, null, false);
window.addEventListener("resize", () => {
  drawTimes();
  if (!view.isChosen) fit(chosenSteps());
});
