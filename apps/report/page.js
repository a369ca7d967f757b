"use strict";
// Everything is in the page: tables as JSON; scores and predictions of all samples, and the text and selections of some, as
// zlib blocks in base64 that are read when they are needed.
const $ = (id) => document.getElementById(id);
const data = JSON.parse($("data").textContent);

function element(tag, attributes = {}, ...children) {
  const out = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) out.addEventListener(name.slice(2), value);
    else if (value !== false && value !== null && value !== undefined) out.setAttribute(name, value === true ? "" : value);
  }
  out.append(...children.filter((child) => child !== null && child !== undefined));
  return out;
}

async function unpack(base64) {
  const bytes = Uint8Array.from(atob(base64), (c) => c.charCodeAt(0));
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate"));
  return JSON.parse(await new Response(stream).text());
}

// ---- theme
const theme = (dark) => document.documentElement.setAttribute("data-theme", dark ? "dark" : "light");
const prefersDark = matchMedia("(prefers-color-scheme: dark)");
theme(prefersDark.matches);
prefersDark.addEventListener("change", (event) => theme(event.matches));
$("theme").addEventListener("click", () => theme(document.documentElement.getAttribute("data-theme") !== "dark"));

// ---- summary
function showSummary() {
  const list = element("dl");
  for (const [name, value] of data.summary) list.append(element("dt", {}, name), element("dd", {}, value));
  const body = $("summary-body");
  body.append(list);
  if (data.warnings.length) {
    body.append(element("div", {class: "warnings"}, ...data.warnings.map((text) => element("p", {}, "Warning: " + text))));
  }
  for (const [name, text] of data.configs) {
    body.append(element("details", {}, element("summary", {}, name), element("pre", {}, text)));
  }
}

// ---- the table
const columns = [
  ["strategy", "text"], ["ratio", "ratio"], ["task", "text"], ["model", "text"], ["chunker", "text"], ["n", "count"],
  ["score", "figure"], ["pgr", "figure"], ["FLOPs %", "figure"], ["effective %", "figure"], ["TTFT %", "figure"],
];
for (const oracle of data.oracles) {
  const name = oracle.replace("oracle_", "");
  columns.push([name + " overlap %", "figure"], [name + " recall %", "figure"]);
}
let order = {column: -1, down: false};
// What is the same in every row stands above the table instead: the task, the model, the chunker.
const constant = [2, 3, 4].filter((i) => data.rows.every((row) => row[i] === data.rows[0][i]));
const visible = columns.map((_, i) => i).filter((i) => !constant.includes(i));

const percent = (x) => (x === null ? "" : (100 * x).toFixed(1).replace(/^-(0\.0)$/, "$1"));
function cellOf(value, kind) {
  if (kind === "text") return element("td", {}, value ?? "mean of all");
  if (kind === "ratio") return element("td", {class: "n"}, value === null ? "–" : +(100 * value).toFixed(4) + " %");
  if (kind === "count") return element("td", {class: "n"}, String(value));
  if (!value) return element("td", {class: "n"}, "");
  const [mean, lo, hi, mark] = value;
  const interval = lo === null ? " [–]" : ` [${percent(lo)}, ${percent(hi)}]`;
  return element("td", {class: "n" + (mark === "*" ? " best" : "")}, percent(mean) + (mark || ""),
    element("span", {class: "interval"}, interval));
}
const sortKey = (row, column) => {
  const value = row[column];
  return Array.isArray(value) ? value[0] : value;
};
function compareRows(a, b) {
  const x = sortKey(a, order.column), y = sortKey(b, order.column);
  if (x === null || x === undefined) return y === null || y === undefined ? 0 : 1;  // what is missing comes last
  if (y === null || y === undefined) return -1;
  const sign = typeof x === "number" ? x - y : String(x).localeCompare(String(y));
  return order.down ? -sign : sign;
}
function showTable() {
  const task = $("table-task").value, text = $("table-text").value.toLowerCase();
  const rows = data.rows.filter((row) => (task === "*" || (row[2] ?? "") === task) &&
    (!text || row.slice(0, 5).join(" ").toLowerCase().includes(text)));
  if (order.column >= 0) rows.sort(compareRows);
  $("table").tBodies[0].replaceChildren(...rows.map((row) => element("tr", {}, ...visible.map((i) => cellOf(row[i], columns[i][1])))));
  $("table-count").textContent = `${rows.length} of ${data.rows.length} rows`;
  for (const [at, th] of [...$("table").tHead.rows[0].cells].entries()) {
    const i = visible[at];
    th.setAttribute("aria-sort", i !== order.column ? "none" : order.down ? "descending" : "ascending");
    th.firstChild.textContent = columns[i][0] + (i !== order.column ? "" : order.down ? " ▾" : " ▴");
  }
}
function sortBy(column) {
  const numeric = columns[column][1] !== "text";
  order = {column, down: order.column === column ? !order.down : numeric && columns[column][1] !== "ratio"};
  showTable();
}
function fill(select, options) {
  select.replaceChildren(...options.map(([value, text]) => element("option", {value}, text)));
}
function startTable() {
  $("table").tHead.append(element("tr", {}, ...visible.map((i) => {
    const [name, kind] = columns[i];
    return element("th", {scope: "col", class: kind === "text" ? "" : "n"}, element("button", {type: "button", onclick: () => sortBy(i)}, name));
  })));
  if (data.rows.length) {
    $("table").createCaption().textContent =
      constant.map((i) => `${columns[i][0]}: ${data.rows[0][i] ?? "mean of all"}`).join(" · ");
  }
  const tasks = [...new Set(data.rows.map((row) => row[2] ?? ""))];
  $("table-notes").append(...data.notes.map((text) => element("p", {}, text)));
  fill($("table-task"), [["*", "all"], ...tasks.map((task) => [task, task || "mean of all tasks"])]);
  $("table-task").value = tasks.includes("") ? "" : "*";
  $("table-task").addEventListener("change", showTable);
  $("table-text").addEventListener("input", showTable);
  showTable();
}

// ---- samples
let samples = [], shown = [], current = -1;
const blocks = $("texts").textContent.trim().split("\n").filter(Boolean);
const cellName = (c) => data.cells[c].label;
// A sample is [id, task, references, first cell, [scores, null: failed or not run], [prediction numbers], predictions, block].
const S = {id: 0, task: 1, references: 2, cells: 3, scores: 4, numbers: 5, predictions: 6, block: 7};

function scoreOf(sample, label) {
  for (let i = 0; i < sample[S.cells].length; ++i) {
    if (cellName(sample[S.cells][i]) === label) return sample[S.scores][i];
  }
  return null;
}
const isRight = (score) => score !== null && score >= 0.5;
function matches(sample, task, show, a, b, text) {
  if (task !== "*" && sample[S.task] !== task) return false;
  if (text && !(sample[S.id] + " " + sample[S.references].join(" ") + " " + sample[S.predictions].join(" ")).toLowerCase().includes(text)) return false;
  if (show === "all") return true;
  const x = scoreOf(sample, a), y = scoreOf(sample, b);
  if (x === null || y === null) return false;
  switch (show) {
    case "a-not-b": return isRight(x) && !isRight(y);
    case "b-not-a": return !isRight(x) && isRight(y);
    case "differ": return x !== y;
    default: return !isRight(x) && !isRight(y);
  }
}
const mark = (score) => score === null ? "·" : isRight(score) ? "✓" : "✗";
const most = 500;  // entries that the list shows at once
function filterSamples() {
  const [task, show, a, b] = ["f-task", "f-show", "f-a", "f-b"].map((id) => $(id).value);
  const text = $("f-text").value.toLowerCase();
  shown = samples.filter((sample) => matches(sample, task, show, a, b, text));
  $("f-count").textContent = `${shown.length} of ${samples.length} samples` + (shown.length > most ? `, the first ${most} listed` : "");
  $("list").replaceChildren(...shown.slice(0, most).map((sample, i) => element("li",
    {role: "option", id: "s" + i, "aria-selected": "false", onclick: () => select(i)}, element("span", {}, sample[S.id]),
    element("span", {class: "marks", title: "A, B"}, mark(scoreOf(sample, a)) + " " + mark(scoreOf(sample, b))))));
  current = -1;
  if (shown.length) select(0);
  else $("sample").replaceChildren(element("p", {class: "note"}, "No sample matches."));
}
function select(i) {
  if (i < 0 || i >= Math.min(shown.length, most)) return;
  const items = $("list").children;
  if (current >= 0) items[current].setAttribute("aria-selected", "false");
  current = i;
  items[i].setAttribute("aria-selected", "true");
  const box = $("list").getBoundingClientRect(), at = items[i].getBoundingClientRect();  // the page stays where it is
  if (at.top < box.top) $("list").scrollTop -= box.top - at.top;
  else if (at.bottom > box.bottom) $("list").scrollTop += at.bottom - box.bottom;
  $("list").setAttribute("aria-activedescendant", "s" + i);
  showSample(shown[i]);
}

// Words of b that a lacks are inserted, those of a that b lacks deleted: the longest common subsequence.
function difference(a, b) {
  const x = a.split(/(\s+)/), y = b.split(/(\s+)/);
  if (x.length * y.length > 250000) return [document.createTextNode(b)];
  const table = Array.from({length: x.length + 1}, () => new Uint16Array(y.length + 1));
  for (let i = x.length - 1; i >= 0; --i) {
    for (let j = y.length - 1; j >= 0; --j) {
      table[i][j] = x[i] === y[j] ? table[i + 1][j + 1] + 1 : Math.max(table[i + 1][j], table[i][j + 1]);
    }
  }
  const out = [];
  for (let i = 0, j = 0; i < x.length || j < y.length;) {
    if (i < x.length && j < y.length && x[i] === y[j]) { out.push(document.createTextNode(y[j])); ++i; ++j; }
    else if (j < y.length && (i === x.length || table[i][j + 1] >= table[i + 1][j])) out.push(element("ins", {}, y[j++]));
    else out.push(element("del", {}, x[i++]));
  }
  return out;
}

function predictionTable(sample) {
  const a = $("f-a").value;
  const at = sample[S.cells].findIndex((c) => cellName(c) === a);
  const base = at >= 0 && sample[S.scores][at] !== null ? sample[S.predictions][sample[S.numbers][at]] : null;
  const rows = sample[S.cells].map((c, i) => {
    const score = sample[S.scores][i], prediction = sample[S.predictions][sample[S.numbers][i]];
    const body = base === null || prediction === base || score === null ? [prediction] : difference(base, prediction);
    return element("tr", {}, element("td", {}, cellName(c)),
      element("td", {class: "n " + (isRight(score) ? "right" : "wrong")}, score === null ? "failed" : mark(score) + " " + (100 * score).toFixed(0)),
      element("td", {class: "text"}, ...body));
  });
  return element("div", {class: "scroll"}, element("table", {}, element("thead", {}, element("tr", {},
    element("th", {scope: "col"}, "strategy"), element("th", {scope: "col", class: "n"}, "score"),
    element("th", {scope: "col"}, base === null ? "prediction" : `prediction (differences from ${a})`))), element("tbody", {}, ...rows)));
}

// ---- the prompt with what a strategy selected
let request = 0;
function tokenLevels(text, strategy) {  // the smallest ratio at which each token is selected, 0 to 1; 2: never
  const levels = new Float32Array(text.begin.length).fill(2);
  for (const [c, runs] of text.selected) {
    if (data.cells[c].strategy !== strategy) continue;
    const level = data.cells[c].ratio ?? 1;
    for (let i = 0, at = 0; i < runs.length; i += 2) {
      at += runs[i];  // skipped
      for (const end = at + runs[i + 1]; at < end; ++at) levels[at] = Math.min(levels[at], level);
    }
  }
  return levels;
}
function heat(level) {
  return level > 1 ? "" : `background: rgba(var(--heat), ${(0.15 + 0.65 * (1 - Math.sqrt(level))).toFixed(2)})`;
}
function promptOf(text, strategy) {
  const bytes = new TextEncoder().encode(text.text), decoder = new TextDecoder();
  const levels = tokenLevels(text, strategy);
  const evidence = new Uint8Array(text.begin.length);
  for (const [begin, end] of text.evidence) evidence.fill(1, begin, end);
  const prompt = element("div", {class: "prompt", tabindex: "0", role: "region", "aria-label": "Prompt"});
  const units = [...text.units, ["query", text.n_context, text.begin.length]];
  let at = 0, chunk = 0;
  for (const [kind, begin, end] of units) {
    const unit = element("span", {class: "unit", "data-name": kind === "chunk" ? `chunk ${++chunk}` : kind});
    for (let t = begin; t < end;) {  // tokens of one look form one span
      let next = t + 1;
      while (next < end && levels[next] === levels[t] && evidence[next] === evidence[t]) ++next;
      let stop = next < text.begin.length ? text.begin[next] : bytes.length;
      while (stop < bytes.length && (bytes[stop] & 0xC0) === 0x80) ++stop;  // a token may end within a character
      const piece = decoder.decode(bytes.slice(at, stop));
      at = Math.max(at, stop);
      if (levels[t] > 1 && !evidence[t]) unit.append(piece);
      else unit.append(element("span", {class: evidence[t] ? "e" : "", style: heat(levels[t]),
        title: levels[t] > 1 ? "evidence" : `selected from ${+(100 * levels[t]).toFixed(2)} %`}, piece));
      t = next;
    }
    prompt.append(unit);
  }
  return prompt;
}
async function showSample(sample) {
  const mine = ++request;
  const out = $("sample");
  const nodes = [element("h3", {}, sample[S.id]), element("p", {}, element("strong", {}, "References: "), sample[S.references].join(" · ") || "–"),
    predictionTable(sample)];
  out.replaceChildren(...nodes);
  if (sample[S.block] < 0) {
    out.append(element("p", {class: "note"}, "This sample's text is not in the report; kvmend show prints it."));
    return;
  }
  const text = await unpack(blocks[sample[S.block]]);
  let begin = 0;
  text.begin = text.steps.map((step) => begin += step);  // bytes
  if (mine !== request) return;
  const strategies = [...new Set(text.selected.map(([c]) => data.cells[c].strategy))];
  const holder = element("div");
  const choice = element("select", {"aria-label": "Strategy whose selection is shown",
    onchange: () => holder.replaceChildren(promptOf(text, choice.value))}, ...strategies.map((s) => element("option", {value: s}, s)));
  const wanted = data.cells.find((cell) => cell.label === $("f-b").value)?.strategy;
  if (strategies.includes(wanted)) choice.value = wanted;
  holder.append(promptOf(text, choice.value));
  out.append(element("h3", {}, "Prompt"), element("div", {class: "controls legend"}, element("label", {}, "Selected by ", choice),
    element("span", {style: heat(0.02)}, "from a small ratio on"), element("span", {style: heat(1)}, "only at a large one"),
    element("span", {class: "prompt", style: "border:0;padding:0"}, element("span", {class: "e"}, "evidence"))), holder);
}

async function startSamples() {
  samples = await unpack($("all").textContent.trim());
  const tasks = [...new Set(samples.map((sample) => sample[S.task]))];
  const labels = [...new Set(data.cells.map((cell) => cell.label))];
  fill($("f-task"), [["*", "all"], ...tasks.map((task) => [task, task])]);
  for (const id of ["f-a", "f-b"]) fill($(id), labels.map((label) => [label, label]));
  if (data.default_a) $("f-a").value = data.default_a;
  if (data.default_b) $("f-b").value = data.default_b;
  for (const id of ["f-task", "f-a", "f-b", "f-show"]) $(id).addEventListener("change", filterSamples);
  $("f-text").addEventListener("input", filterSamples);
  $("list").addEventListener("keydown", (event) => {
    const step = {ArrowDown: 1, j: 1, ArrowUp: -1, k: -1, PageDown: 10, PageUp: -10}[event.key];
    const to = event.key === "Home" ? 0 : event.key === "End" ? Math.min(shown.length, most) - 1
      : step ? Math.min(Math.max(current + step, 0), Math.min(shown.length, most) - 1) : -1;
    if (to < 0) return;
    event.preventDefault();
    select(to);
  });
  filterSamples();
}

showSummary();
startTable();
startSamples().then(() => document.documentElement.setAttribute("data-ready", ""));
