"use strict";

// A row of the data, in the order in which report/__init__.py writes it.
const FIELDS = ["name", "source", "state", "service", "verdict", "score", "fraction", "area", "width", "height", "parts", "credits", "model", "code", "message", "photo", "files"];
const COLUMNS = [
  ["", null],
  ["Name", (item) => item.name.toLowerCase()],
  ["Verdict", (item) => item.verdict ?? (item.code ? `~${item.code}` : null)],
  ["Score", (item) => item.score],
  ["Marked", (item) => item.fraction],
  ["Parts", (item) => item.parts],
  ["Pixels", (item) => item.width && item.width * item.height],
];
const ROW = 64, SPARE = 4;
const SHOWN = /\.(jpe?g|png|webp|gif|bmp)$/i; // formats that every browser shows

const part = (id) => document.getElementById(id);
const told = JSON.parse(part("data").textContent);
const items = told.rows.map((row, at) => ({ at, ...Object.fromEntries(FIELDS.map((name, n) => [name, row[n]])) }));
const collator = new Intl.Collator(undefined, { numeric: true });
let shown = items, sorting = null, falling = false, chosen = null;

// -- the list

const pool = new Map(); // by place in the list

function make(tag, className, text) {
  const element = document.createElement(tag);
  if (className) element.className = className;
  if (text !== undefined) element.textContent = text;
  return element;
}

function address(path) { // without empty steps it is below this page, and never another host
  return path.split("/").filter(Boolean).map((step) => (step === ".." ? step : encodeURIComponent(step))).join("/");
}

function share(fraction) {
  return fraction === null ? "–" : `${Number((100 * fraction).toPrecision(3))} %`;
}

function cell(child) {
  child.setAttribute("role", "cell");
  return child;
}

function rowOf(item, place) {
  const row = make("div", "row");
  row.setAttribute("role", "row");
  row.setAttribute("aria-rowindex", place + 2);
  row.setAttribute("aria-selected", item === chosen);
  row.style.top = `${place * ROW}px`;
  const small = cell(make("div"));
  const thumbnail = item.files.thumbnail_overlay ?? item.files.thumbnail;
  if (thumbnail) {
    const image = make("img");
    image.alt = "";
    image.decoding = "async";
    image.src = address(thumbnail);
    small.append(image);
  }
  const name = cell(make("div", "name", item.source.split("/").slice(-2).join("/") || item.name));
  name.title = item.source;
  if (item.message) name.append(make("small", "", item.message));
  const isDone = item.state === "done";
  const verdict = isDone ? item.verdict ?? "no verdict" : item.code?.replaceAll("_", " ") ?? item.state;
  const kind = isDone ? item.verdict ?? "" : item.code ? "failed" : "";
  const told = cell(make("div", kind, verdict));
  told.title = verdict;
  row.append(small, name, told);
  const figures = [
    item.score === null ? "–" : Number(item.score.toPrecision(3)),
    share(item.fraction),
    item.parts ?? "–",
    item.width === null ? "–" : `${item.width} × ${item.height}`,
  ];
  row.append(...figures.map((figure) => cell(make("div", "", figure))));
  row.addEventListener("click", () => choose(item));
  return row;
}

function draw() {
  const list = part("list");
  const first = Math.max(0, Math.floor(list.scrollTop / ROW) - SPARE);
  const last = Math.min(shown.length, Math.ceil((list.scrollTop + list.clientHeight) / ROW) + SPARE);
  for (const [place, row] of pool) {
    if (place < first || place >= last) {
      row.remove();
      pool.delete(place);
    }
  }
  for (let place = first; place < last; place++) {
    if (!pool.has(place)) {
      pool.set(place, rowOf(shown[place], place));
      part("rows").append(pool.get(place));
    }
  }
}

function redraw() {
  for (const row of pool.values()) row.remove();
  pool.clear();
  part("rows").style.height = `${shown.length * ROW}px`;
  part("list").setAttribute("aria-rowcount", shown.length + 1);
  part("count").textContent = `${shown.length.toLocaleString("en")} of ${items.length.toLocaleString("en")}`;
  draw();
}

function compare(a, b) {
  const [x, y] = [sorting(a), sorting(b)];
  if (x === y || (x ?? y) === null) return a.at - b.at;
  if (x === null) return 1; // what is not known comes last either way
  if (y === null) return -1;
  const order = typeof x === "string" ? collator.compare(x, y) : x - y;
  return (falling ? -order : order) || a.at - b.at;
}

function sift() {
  const verdict = part("verdict").value, state = part("state").value;
  const words = part("name").value.trim().toLowerCase();
  const [least, most] = ["least", "most"].map((id) => part(id).valueAsNumber);
  shown = items.filter((item) =>
    (verdict === "" || (item.verdict ?? "none") === verdict)
    && (state === "" || item.state === state)
    && (Number.isNaN(least) || (item.score !== null && item.score >= least))
    && (Number.isNaN(most) || (item.score !== null && item.score <= most))
    && (words === "" || item.name.toLowerCase().includes(words) || item.source.toLowerCase().includes(words)));
  if (sorting) shown.sort(compare);
  part("list").scrollTop = 0;
  redraw();
}

function sortBy(column, button) {
  falling = sorting === column ? !falling : false;
  sorting = column;
  for (const other of part("head").children) other.removeAttribute("aria-sort");
  for (const other of part("head").querySelectorAll("button")) other.textContent = other.dataset.name;
  button.parentElement.setAttribute("aria-sort", falling ? "descending" : "ascending");
  button.textContent = `${button.dataset.name} ${falling ? "▼" : "▲"}`;
  sift();
}

// -- the chosen item

function choose(item) {
  chosen = item;
  part("detail").hidden = item === null;
  for (const [place, row] of pool) row.setAttribute("aria-selected", shown[place] === item);
  if (item === null) return;
  part("title").textContent = item.name;
  picture(item);
  const facts = {
    Image: item.source,
    Verdict: item.verdict && `${item.verdict}, by ${item.service}`,
    Score: item.score,
    Marked: item.fraction === null ? null : `${item.area.toLocaleString("en")} pixels, ${share(item.fraction)}, in ${item.parts} ${item.parts === 1 ? "part" : "parts"}`,
    Size: item.width === null ? null : `${item.width} × ${item.height}`,
    Model: item.model,
    Credits: item.credits,
    State: item.state,
    Error: item.code && `${item.code}: ${item.message}`,
  };
  const known = Object.entries(facts).filter(([, fact]) => fact !== null && fact !== "");
  part("facts").replaceChildren(...known.flatMap(([name, fact]) => [make("dt", "", name), make("dd", "", fact)]));
  const files = Object.entries(item.files).filter(([kind]) => !/^(thumbnail|outline)/.test(kind));
  part("files").replaceChildren(...files.map(([kind, path]) => {
    const link = make("a", "", kind);
    link.href = address(path);
    return link;
  }));
}

function picture(item) {
  const { thumbnail, thumbnail_overlay: marked, outline, overlay } = item.files;
  part("compare").hidden = part("controls").hidden = !thumbnail;
  part("nothing").hidden = Boolean(thumbnail);
  if (!thumbnail) return;
  const [before, after] = [part("before"), part("after")];
  before.onload = () => fit(before);
  before.src = address(thumbnail);
  after.hidden = part("edge").hidden = !marked;
  if (marked) after.src = address(marked);
  part("outline").hidden = !(outline && part("contours").checked);
  if (outline) part("outline").src = address(outline);
  part("contours").disabled = !outline;
  if (overlay && item.photo && SHOWN.test(overlay) && SHOWN.test(item.photo)) inFull(item, overlay);
}

// The files themselves instead of the thumbnails, once both are there and fit each other.
async function inFull(item, overlay) {
  const full = [item.photo, overlay].map((path) => Object.assign(new Image(), { src: address(path) }));
  try {
    await Promise.all(full.map((image) => image.decode()));
  } catch {
    return; // moved or deleted since: the thumbnails stay
  }
  const [photo, marked] = full;
  if (item !== chosen || photo.naturalWidth !== marked.naturalWidth || photo.naturalHeight !== marked.naturalHeight) return;
  part("before").src = photo.src;
  part("after").src = marked.src;
}

// As large as there is room for, in the shape of the picture.
function fit(image) {
  const room = part("detail").clientWidth;
  const height = Math.max(240, 0.6 * innerHeight);
  const width = Math.min(room, (height * image.naturalWidth) / image.naturalHeight);
  part("compare").style.width = `${width}px`;
  part("compare").style.height = `${(width * image.naturalHeight) / image.naturalWidth}px`;
}

function slide() {
  const at = Number(part("slider").value);
  part("after").style.clipPath = `inset(0 0 0 ${100 - at}%)`;
  part("edge").style.left = `${100 - at}%`;
}

function drag(event) {
  if (event.buttons !== 1 && event.type !== "pointerdown") return;
  const box = part("compare").getBoundingClientRect();
  part("slider").value = 100 - (100 * (event.clientX - box.left)) / box.width;
  slide();
}

function step(by) {
  const place = shown.indexOf(chosen) + by;
  if (place < 0 || place >= shown.length) return;
  const list = part("list");
  const top = place * ROW, room = list.clientHeight - part("head").offsetHeight;
  if (top < list.scrollTop) list.scrollTop = top;
  if (top + ROW > list.scrollTop + room) list.scrollTop = top + ROW - room;
  draw();
  choose(shown[place]);
}

// -- the page

function options(select, values, every) {
  select.append(new Option(every, ""), ...values.map(([value, text]) => new Option(text, value)));
}

function counted(of) {
  const found = new Map();
  for (const item of items) found.set(of(item), (found.get(of(item)) ?? 0) + 1);
  return [...found].sort((a, b) => collator.compare(a[0], b[0])).map(([value, number]) => [value, `${value} (${number.toLocaleString("en")})`]);
}

function begin() {
  for (const [name, column] of COLUMNS) {
    const head = make("div");
    head.setAttribute("role", "columnheader");
    if (column) {
      const button = make("button", "", name);
      button.type = "button";
      button.dataset.name = name;
      button.addEventListener("click", () => sortBy(column, button));
      head.append(button);
    }
    part("head").append(head);
  }
  options(part("verdict"), counted((item) => item.verdict ?? "none"), "any");
  options(part("state"), counted((item) => item.state), "any");
  part("summary").textContent = told.summary;
  part("notices").textContent = told.notices.map((notice) => `(sandbox) ${notice}`).join(" ");
  part("filters").addEventListener("input", sift);
  part("filters").addEventListener("submit", (event) => event.preventDefault());
  part("filters").addEventListener("reset", () => setTimeout(sift));
  part("list").addEventListener("scroll", draw, { passive: true });
  part("list").addEventListener("keydown", (event) => {
    const by = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (by) {
      event.preventDefault();
      step(by);
    }
  });
  addEventListener("resize", () => {
    draw();
    if (chosen && part("before").naturalWidth) fit(part("before"));
  });
  addEventListener("keydown", (event) => {
    if (event.key === "Escape") choose(null);
  });
  part("slider").addEventListener("input", slide);
  part("compare").addEventListener("pointerdown", drag);
  part("compare").addEventListener("pointermove", drag);
  part("contours").addEventListener("change", () => {
    part("outline").hidden = !(part("contours").checked && chosen?.files.outline);
  });
  part("previous").addEventListener("click", () => step(-1));
  part("next").addEventListener("click", () => step(1));
  part("close").addEventListener("click", () => choose(null));
  slide();
  redraw();
}

begin();
