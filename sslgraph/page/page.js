"use strict";
// The page swaps pictures that Python laid out; nothing is laid out here, and no text of a spec becomes markup.
(async () => {
  const $ = (selector) => document.querySelector(selector);
  const bytes = Uint8Array.from(atob($("#data").textContent), (letter) => letter.charCodeAt(0));
  const unpacked = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
  const data = await new Response(unpacked).json();
  const methods = new Map(data.methods.map((method) => [method.key, method]));
  const state = {key: data.methods[0].key, calls: false, gradients: false, folded: new Set(), box: null, tab: "methods",
    one: "", other: ""};

  // --- small tools -------------------------------------------------------------------------------------------------
  function element(tag, text = "", names = "") {
    const made = document.createElement(tag);
    made.textContent = text;
    if (names) made.className = names;
    return made;
  }
  function show(place, svg, name) {
    place.innerHTML = svg;  // from Python, where every text of a spec was escaped
    const drawn = place.querySelector("svg");
    drawn.setAttribute("role", "group");
    drawn.setAttribute("aria-label", name);
    place.style.setProperty("--least", `${0.78 * drawn.getAttribute("width")}px`);  // smaller, its letters can't be read
    return drawn;
  }
  const pressed = (button, is) => button.setAttribute("aria-pressed", String(is));
  const method = () => methods.get(state.key);
  const boxesOf = () => method().boxes[state.calls ? "every-call" : "paper"];
  const groups = () => [...$("#picture").querySelectorAll(".box")];
  const groupOf = (id) => groups().find((group) => group.dataset.id === id);

  // --- the list ----------------------------------------------------------------------------------------------------
  const facets = new Set();
  for (const one of data.methods) {  // what is searched: first what it is called, then what it is made of, line by line
    const boxes = Object.values(one.boxes.paper).flatMap((box) => [box.title, box.use, box.sub, box.about]);
    one.names = [one.key, one.name, one.family, one.year, one.paper, one.arxiv, one.line].join(" ").toLowerCase();
    one.says = [...new Set([...one.texts.flatMap(([, text]) => text.split("\n")), ...boxes])].filter(Boolean);
    one.said = one.says.map((line) => line.toLowerCase());
  }
  const begins = (text, word) => {  // words are found by their beginning: "ema" in ema_of, not in schema
    for (let at = text.indexOf(word); at >= 0; at = text.indexOf(word, at + 1)) {
      if (!at || !/[a-z0-9]/.test(text[at - 1])) return true;
    }
    return false;
  };
  function found(one, words) {
    if (![...facets].every((facet) => one.facets.includes(facet))) return null;
    let why = "";
    for (const word of words) {
      if (one.names.includes(word)) continue;
      const at = one.said.findIndex((line) => begins(line, word));
      if (at < 0) return null;
      why ||= one.says[at].trim();
    }
    return {one, why};
  }
  function fillFacets() {
    for (const facet of data.facets) {
      const button = element("button", facet);
      button.title = `only methods with: ${facet}`;
      pressed(button, false);
      button.addEventListener("click", () => {
        facets.has(facet) ? facets.delete(facet) : facets.add(facet);
        pressed(button, facets.has(facet));
        search();
      });
      $("#facets").append(button);
    }
  }
  function fillList() {
    const words = $("#search").value.trim().toLowerCase().split(/\s+/).filter(Boolean);
    const list = $("#list");
    list.replaceChildren();
    let family = null;
    const all = data.methods.map((one) => found(one, words)).filter(Boolean);
    $("#count").textContent = words.length || facets.size ? `${all.length} of ${data.methods.length}` : "";
    for (const {one, why} of all) {
      if (one.family !== family) {
        family = one.family;
        const name = element("div", family, "family-name");
        name.setAttribute("role", "presentation");
        list.append(name);
      }
      const option = element("div", one.name);
      option.id = `option-${one.key}`;
      option.setAttribute("role", "option");
      option.setAttribute("aria-selected", String(one.key === state.key));
      option.append(element("small", one.year ?? ""));
      if (why) option.append(element("span", why, "why"));
      option.addEventListener("click", () => choose(one.key));
      list.append(option);
    }
    if (!list.childElementCount) list.append(element("p", "nothing of this name", "note"));
    list.setAttribute("aria-activedescendant", `option-${state.key}`);
  }
  function search() {
    fillList();
    $("#list").scrollTop = 0;  // it stood at the chosen method, and the best match is the first
  }
  function step(by) {
    const options = [...$("#list").querySelectorAll("[role=option]")];
    if (!options.length) return;
    const at = options.findIndex((option) => option.getAttribute("aria-selected") === "true");
    const next = options[Math.min(options.length - 1, Math.max(0, at < 0 ? 0 : at + by))];
    choose(next.id.slice("option-".length));
  }

  // --- the picture -------------------------------------------------------------------------------------------------
  function choose(key, keep = false) {
    if (!methods.has(key)) return;
    if (key !== state.key && !keep) { state.folded.clear(); state.box = null; }
    state.key = key;
    fillList();
    document.getElementById(`option-${key}`)?.scrollIntoView({block: "nearest"});
    draw();
    remember();
  }
  function stateName() {
    const one = method();
    if (state.calls) return "every-call";
    const folded = one.lanes.map(([lane]) => lane).filter((lane) => state.folded.has(lane));
    return folded.length ? `paper/${folded.join(",")}` : "paper";
  }
  function draw() {
    const one = method();
    $("#name").textContent = one.name;
    $("#line").textContent = [one.paper, one.year, one.arxiv && `arXiv:${one.arxiv}`].filter(Boolean).join(" · ");
    pressed($("#calls"), state.calls);
    pressed($("#gradients"), state.gradients);
    drawFolds(one);
    const drawn = show($("#picture"), one.pictures[stateName() + (state.gradients ? " gradients" : "")], one.name);
    const boxes = boxesOf();
    for (const group of drawn.querySelectorAll(".box")) {
      group.setAttribute("tabindex", "0");
      group.setAttribute("role", "button");
      group.setAttribute("aria-label", group.querySelector("title")?.textContent ?? group.dataset.id);
      group.addEventListener("click", () => inspect(group.dataset.id));
      group.addEventListener("mouseenter", () => light(group.dataset.id));
      group.addEventListener("mouseleave", () => light(null));
      group.addEventListener("focus", () => light(group.dataset.id));
      group.addEventListener("blur", () => light(null));
    }
    unzoomed();
    inspect(state.box && boxes[state.box] && groupOf(state.box) ? state.box : null);
  }

  // --- zoom: the view box is what is seen, so a picture that is saved is the picture that is seen ---------------------
  let whole = null, view = null;
  function unzoomed() {
    const box = $("#picture svg").viewBox.baseVal;
    whole = {x: box.x, y: box.y, width: box.width, height: box.height};
    look(whole);
  }
  function look(wanted) {
    const width = Math.min(whole.width, Math.max(whole.width / 12, wanted.width)), by = width / whole.width;
    const height = whole.height * by;
    const inside = (at, from, all, part) => Math.min(from + all - part, Math.max(from, at));
    view = {width, height, x: inside(wanted.x, whole.x, whole.width, width), y: inside(wanted.y, whole.y, whole.height, height)};
    $("#picture svg").setAttribute("viewBox", [view.x, view.y, view.width, view.height].join(" "));
    $("#picture").classList.toggle("zoomed", by < 1);
    const isWhole = by >= 1 && $("#picture").scrollWidth <= $("#picture").clientWidth;
    $("#out").disabled = $("#fit").disabled = isWhole;
  }
  function fit() {
    $("#picture").classList.add("whole");
    look(whole);
  }
  function zoom(by, x = 0.5, y = 0.5) {  // x and y: the place that stays where it is, in shares of the picture
    if (by < 1 && view.width >= whole.width) return fit();
    if (by > 1 && $("#picture").classList.contains("whole")) {  // the first step shows it as large as it can be read
      const before = $("#picture").scrollWidth;
      $("#picture").classList.remove("whole");
      if ($("#picture").scrollWidth > before) return look(whole);
    }
    const width = Math.min(whole.width, view.width / by), height = whole.height * width / whole.width;
    look({width, x: view.x + x * (view.width - width), y: view.y + y * (view.height - height)});
  }
  const share = (point) => {
    const r = $("#picture svg").getBoundingClientRect();
    return [(point.clientX - r.left) / r.width, (point.clientY - r.top) / r.height];
  };
  const fingers = new Map();
  let dragged = 0;
  function hold(event) {
    if (!event.target.closest?.("svg")) return;
    fingers.set(event.pointerId, event);
    dragged = 0;
  }
  function drag(event) {
    const before = fingers.get(event.pointerId);
    if (!before) return;
    const r = $("#picture svg").getBoundingClientRect();
    if (fingers.size === 2) {
      const other = [...fingers.values()].find((finger) => finger.pointerId !== event.pointerId);
      const far = (one) => Math.hypot(one.clientX - other.clientX, one.clientY - other.clientY) || 1;
      const [x, y] = share({clientX: (event.clientX + other.clientX) / 2, clientY: (event.clientY + other.clientY) / 2});
      zoom(far(event) / far(before), x, y);
    } else if (view.width < whole.width) {
      const dx = event.clientX - before.clientX, dy = event.clientY - before.clientY;
      dragged += Math.abs(dx) + Math.abs(dy);
      look({...view, x: view.x - dx / r.width * view.width, y: view.y - dy / r.height * view.height});
    }
    fingers.set(event.pointerId, event);
    $("#picture").classList.toggle("dragged", dragged > 4);
  }
  function release(event) {
    fingers.delete(event.pointerId);
    $("#picture").classList.remove("dragged");
  }
  function drawFolds(one) {
    const place = $("#folds");
    place.replaceChildren();
    if (state.calls || !one.lanes.length) return;
    place.append(element("span", "fold ", "note"));
    const few = Object.keys(one.pictures).filter((name) => name.startsWith("paper/")).length <= 2 && one.lanes.length > 1;
    for (const [lane, title] of few ? [[one.lanes.map(([l]) => l).join(","), "all branches"]] : one.lanes) {
      const button = element("button", title);
      const lanes = lane.split(",");
      pressed(button, lanes.every((l) => state.folded.has(l)));
      button.addEventListener("click", () => toggle(lanes));
      place.append(button);
    }
  }
  function toggle(lanes) {
    const all = lanes.every((lane) => state.folded.has(lane));
    for (const lane of lanes) all ? state.folded.delete(lane) : state.folded.add(lane);
    draw();
    remember();
  }
  function links() {
    return [...$("#picture").querySelectorAll(".edge")].map((edge) => ({edge, ends: edge.dataset.edge.split(">"),
      isData: edge.classList.contains("data")}));
  }
  function light(id) {
    const drawn = $("#picture svg");
    drawn.classList.toggle("lit", id !== null);
    drawn.querySelectorAll(".on").forEach((part) => part.classList.remove("on"));
    if (id === null) return;
    const lines = links(), todo = [id], seen = new Set();
    while (todo.length) {
      const here = todo.pop();
      if (seen.has(here)) continue;
      seen.add(here);
      groupOf(here)?.classList.add("on");
      for (const {edge, ends, isData} of lines) {
        if (ends[1] === here && (isData || edge.classList.contains("ema"))) {
          edge.classList.add("on");
          todo.push(ends[0]);
        }
      }
    }
  }
  function walk(id, key) {
    const here = groupOf(id).getBoundingClientRect();
    const middle = (r) => [r.left + r.width / 2, r.top + r.height / 2];
    const [x, y] = middle(here);
    const ways = {ArrowRight: [1, 0], ArrowLeft: [-1, 0], ArrowDown: [0, 1], ArrowUp: [0, -1]};
    const [dx, dy] = ways[key];
    let best = null, cost = Infinity;
    for (const group of groups()) {
      const [gx, gy] = middle(group.getBoundingClientRect());
      const along = (gx - x) * dx + (gy - y) * dy, aside = Math.abs((gx - x) * dy) + Math.abs((gy - y) * dx);
      if (group.dataset.id !== id && along > 4 && along + 3 * aside < cost) { best = group; cost = along + 3 * aside; }
    }
    if (best) { best.focus(); inspect(best.dataset.id); }
  }

  // --- the inspector -----------------------------------------------------------------------------------------------
  function inspect(id) {
    state.box = id;
    groups().forEach((group) => group.classList.toggle("chosen", group.dataset.id === id));
    const place = $("#inspector");
    place.replaceChildren();
    const box = id === null ? null : boxesOf()[id];
    if (box) inspectBox(place, box); else inspectWhole(place, method());
    spec(box ? box.lines : []);
  }
  function rows(place, pairs) {
    const list = element("dl");
    for (const [name, value] of pairs) if (value) list.append(element("dt", name), element("dd", value));
    if (list.childElementCount) place.append(list);
  }
  function inspectWhole(place, one) {
    place.append(element("h2", one.name), element("p", [one.family, one.year].filter(Boolean).join(" · "), "kind"),
      element("p", one.line, "about"));
    rows(place, one.facts);
  }
  const WEIGHTS = {trained: "trained by gradient", ema: "slow copy", frozen: "fixed", none: ""};
  function inspectBox(place, box) {
    place.append(element("h2", box.title), element("p", [box.kind, WEIGHTS[box.weights], box.use].filter(Boolean).join(" · "), "kind"));
    if (box.about) place.append(element("p", box.about, "about"));
    rows(place, [["is", box.sub], ["parameters", box.parameters], ["in", box.in], ["out", box.out], ...box.settings,
      ["source", box.source]]);
    if (box.gradient) place.append(element("p", box.gradient, box.gradient.startsWith("trained") ? "gradient runs" : "gradient"));
    if (box.members.length) rows(place, [["folded", box.members.map((id) => boxesOf()[id]?.title ?? id).join(", ")]]);
  }
  function spec(lines) {
    const texts = method().texts, file = lines.length ? lines[0][0] : texts[0][0];
    const found = texts.find(([name]) => name === file) ?? texts[0];
    $("#spec-name").textContent = found[0];
    const picked = new Set(lines.filter(([name]) => name === found[0]).map(([, number]) => number));
    const place = $("#spec");
    place.replaceChildren(...found[1].split("\n").map((text, at) =>
      element("span", text || " ", picked.has(at + 1) ? "pick" : "")));
    const first = place.querySelector(".pick");
    if (first) place.scrollTop = Math.max(0, first.offsetTop - place.offsetTop - 60);
  }

  // --- comparing ---------------------------------------------------------------------------------------------------
  const SIGNS = {"+": "plus", "-": "minus", "≠": "not", "=": "equal"};
  function compare(one, other) {
    state.one = one;
    state.other = other;
    $("#one").value = one;
    $("#other").value = other;
    const words = $("#words");
    words.replaceChildren();
    const pair = data.pairs[`${one} ${other}`];
    const place = $("#difference");
    if (pair?.svg) show(place, pair.svg, pair.headline); else place.replaceChildren();
    if (!pair?.svg) words.append(element("p", pair ? pair.headline : "This is one and the same method.", "headline"));
    for (const level of ["structure", "settings", "numbers"]) {
      const told = (pair?.told ?? []).filter((statement) => statement[1] === level);
      if (!told.length) continue;
      const list = element("ul");
      for (const [sign, , about, text] of told) {
        const item = element("li");
        const mark = element("span", sign.replace("-", "−"), `sign ${SIGNS[sign]}`);
        item.append(mark, element("b", about), element("span", text.replaceAll("->", "→")));
        list.append(item);
      }
      words.append(element("h3", level), list);
    }
    for (const [side, key] of [["one", one], ["other", other]]) {
      $(`#${side}-name`).textContent = methods.get(key).name;
      show($(`#${side}-picture`), methods.get(key).pictures.paper, methods.get(key).name);
    }
    remember();
  }

  // --- the family --------------------------------------------------------------------------------------------------
  function tree() {
    const drawn = show($("#tree"), data.family.svg, "The family tree");
    for (const group of drawn.querySelectorAll(".box")) {
      const key = group.dataset.id;
      group.setAttribute("tabindex", "0");
      group.setAttribute("role", "button");
      group.setAttribute("aria-label", group.querySelector("title")?.textContent ?? key);
      for (const event of ["mouseenter", "focus"]) group.addEventListener(event, () => kin(drawn, key));
      for (const event of ["mouseleave", "blur"]) group.addEventListener(event, () => drawn.classList.remove("lit"));
      group.addEventListener("click", () => { choose(key); tab("methods"); });
    }
  }
  function kin(drawn, key) {
    drawn.classList.add("lit");
    drawn.querySelectorAll(".on").forEach((part) => part.classList.remove("on"));
    const place = $("#kin");
    place.replaceChildren();
    for (let here = key; here;) {
      const [parent, words] = data.family.parents[here];
      drawn.querySelectorAll(".box").forEach((group) => group.dataset.id === here && group.classList.add("on"));
      drawn.querySelectorAll(".branch").forEach((line) =>
        line.querySelector("title")?.textContent.startsWith(`${parent} to ${here}:`) && line.classList.add("on"));
      const name = methods.get(here).name;
      place.append(element("p", parent ? `${name}: ${methods.get(parent).name} ${words.join(", ")}` : name));
      here = parent;
    }
  }

  // --- tabs, theme, address ----------------------------------------------------------------------------------------
  const TABS = ["methods", "compare", "family"];
  function tab(name) {
    state.tab = name;
    for (const one of TABS) {
      const is = one === name, button = $(`#tab-${one}`);
      button.setAttribute("aria-selected", String(is));
      button.tabIndex = is ? 0 : -1;
      $(`#panel-${one}`).hidden = !is;
    }
    if (name === "compare" && !state.one) {
      const parent = data.family.parents[state.key][0];
      compare(parent ?? (data.methods.find((m) => m.key !== state.key) ?? method()).key, state.key);
    }
    if (name === "family" && !$("#tree svg")) tree();
    remember();
  }
  function theme(is) {
    document.documentElement.dataset.theme = is ? "dark" : "light";
    pressed($("#theme"), is);
  }
  const isDark = () => document.documentElement.dataset.theme === "dark";
  let remembered = "", before = null;
  function remember() {
    const parts = {methods: [state.key, ...(stateName() === "paper" ? [] : [stateName()])],
      compare: ["compare", state.one, state.other], family: ["family"]}[state.tab];
    remembered = `#${parts.map(encodeURIComponent).join("/")}`;
    // Another method, pair or page can be gone back from; how a picture is shown is no place of its own.
    const here = state.tab === "compare" ? parts.join(" ") : state.tab === "methods" ? state.key : state.tab;
    const isNew = before !== null && here !== before && !isRecalling;
    before = here;
    if (location.hash === remembered) return;
    if (isNew) history.pushState(null, "", remembered); else history.replaceState(null, "", remembered);
  }
  let isRecalling = false;
  function recall() {
    isRecalling = true;
    try { recallPlace(); } finally { isRecalling = false; }
  }
  function recallPlace() {
    const [first = "", second = "", third = ""] = location.hash.slice(1).split("/").map(decodeURIComponent);
    if (first === "compare" && methods.has(second) && methods.has(third)) { compare(second, third); tab("compare"); }
    else if (first === "family") tab("family");
    else {
      const [level, lanes] = second.split("/");
      state.calls = level === "every-call";
      state.folded = new Set(lanes ? lanes.split(",") : []);
      tab("methods");
      choose(methods.has(first) ? first : state.key, true);
    }
  }
  function save() {
    const drawn = $("#picture svg").cloneNode(true);
    const style = getComputedStyle(document.documentElement);
    drawn.classList.remove("lit");
    const text = new XMLSerializer().serializeToString(drawn).replace(/var\((--[\w-]+)\)/g, (_, name) => style.getPropertyValue(name).trim());
    const link = element("a");
    link.href = URL.createObjectURL(new Blob([text], {type: "image/svg+xml"}));
    link.download = `${state.key}.svg`;
    link.click();
    URL.revokeObjectURL(link.href);
  }

  // --- events ------------------------------------------------------------------------------------------------------
  for (const side of ["one", "other"]) {
    for (const one of data.methods) {
      const option = element("option", one.name);
      option.value = one.key;
      $(`#${side}`).append(option);
    }
    $(`#${side}`).addEventListener("change", () => compare($("#one").value, $("#other").value));
  }
  $("#swap").addEventListener("click", () => compare(state.other, state.one));
  $("#search").addEventListener("input", search);
  $("#calls").addEventListener("click", () => { state.calls = !state.calls; state.box = null; draw(); remember(); });
  $("#gradients").addEventListener("click", () => { state.gradients = !state.gradients; draw(); });
  $("#save").addEventListener("click", save);
  $("#in").addEventListener("click", () => zoom(1.4));
  $("#out").addEventListener("click", () => zoom(1 / 1.4));
  $("#fit").addEventListener("click", fit);
  $("#picture").addEventListener("wheel", (event) => {
    if (!(event.ctrlKey || event.metaKey)) return;  // the wheel alone scrolls the page; a pinch comes with Ctrl
    event.preventDefault();
    zoom(Math.exp(-event.deltaY / 300), ...share(event));
  }, {passive: false});
  $("#picture").addEventListener("pointerdown", hold);
  addEventListener("pointermove", drag);
  for (const name of ["pointerup", "pointercancel"]) addEventListener(name, release);
  $("#picture").addEventListener("click", (event) => {  // the end of a drag is no click
    if (dragged > 4) { event.stopPropagation(); dragged = 0; }
  }, true);
  $("#theme").addEventListener("click", () => theme(!isDark()));
  TABS.forEach((name, at) => {
    $(`#tab-${name}`).addEventListener("click", () => tab(name));
    $(`#tab-${name}`).addEventListener("keydown", (event) => {
      const by = {ArrowRight: 1, ArrowLeft: -1}[event.key];
      if (!by) return;
      const next = TABS[(at + by + TABS.length) % TABS.length];
      tab(next);
      $(`#tab-${next}`).focus();
      event.stopPropagation();
    });
  });
  addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const at = event.target, isTyping = at.matches?.("input, select, textarea");
    const box = at.closest?.("#picture .box"), leaf = at.closest?.("#tree .box");
    const isArrow = event.key.startsWith("Arrow");
    if (event.key === "Escape") {
      if (at.id === "search") { at.value = ""; fillList(); at.blur(); } else inspect(null);
    } else if ((event.key === "Enter" || event.key === " ") && (box || leaf)) {
      if (box) inspect(box.dataset.id); else leaf.dispatchEvent(new MouseEvent("click"));
    } else if (isArrow && box) walk(box.dataset.id, event.key);
    else if ((event.key === "ArrowDown" || event.key === "ArrowUp") && (at.id === "search" || at.id === "list")) step(event.key === "ArrowDown" ? 1 : -1);
    else if (isTyping) return;
    else if (event.key === "/") { tab("methods"); $("#search").focus(); $("#search").select(); }
    else if (event.key === "t") $("#theme").click();
    else if (state.tab !== "methods") return;
    else if (event.key === "+" || event.key === "=") zoom(1.4);
    else if (event.key === "-") zoom(1 / 1.4);
    else if (event.key === "0") fit();
    else if (event.key === "e") $("#calls").click();
    else if (event.key === "g") $("#gradients").click();
    else if (event.key === "f") {
      const lane = state.box && boxesOf()[state.box]?.lane;
      const known = method().lanes.map(([name]) => name);
      if (known.length && !state.calls) toggle(known.includes(lane) ? [lane] : known);
    } else if (isArrow && at === document.body && (event.key === "ArrowDown" || event.key === "ArrowUp")) step(event.key === "ArrowDown" ? 1 : -1);
    else return;
    event.preventDefault();
  });
  addEventListener("hashchange", () => location.hash !== remembered && recall());
  addEventListener("popstate", () => location.hash !== remembered && recall());
  theme(matchMedia("(prefers-color-scheme: dark)").matches);
  fillFacets();
  recall();
  document.documentElement.dataset.ready = "yes";
})();
