"use strict";
(() => {
  const $ = (id) => document.getElementById(id);
  const cases = [...document.querySelectorAll(".case")];
  const page = document.documentElement.dataset.report;
  const KEY = `chaosprep-report:${page}`;

  // The pictures of many cases become part of the page as they come near, or are gone to.
  const load = (article) => {
    const waiting = article.querySelector(":scope > template");
    if (waiting) waiting.replaceWith(waiting.content);
  };
  const loadAll = () => cases.forEach(load);
  const FEW = 24;
  if (cases.length <= FEW || !("IntersectionObserver" in window)) loadAll();
  else {
    const near = new IntersectionObserver((entries) => {
      for (const { isIntersecting, target } of entries) if (isIntersecting) { near.unobserve(target); load(target); }
    }, { rootMargin: "1200px" });
    cases.forEach((article) => near.observe(article));
  }
  // What loads near the place that somebody goes to changes the page's height: the place is kept until all is still.
  let aim = null;
  const keep = (target) => {
    aim = target;
    let last = NaN, still = 0, frames = 0;
    const settle = () => {
      if (aim !== target) return;
      still = Math.abs(target.getBoundingClientRect().top - last) < 1 ? still + 1 : 0;
      target.scrollIntoView();
      last = target.getBoundingClientRect().top;
      if (still < 10 && frames++ < 180) requestAnimationFrame(settle);
    };
    settle();
  };
  const there = () => document.querySelector(":target");
  for (const kind of ["wheel", "touchstart", "pointerdown", "keydown"]) window.addEventListener(kind, () => { aim = null; }, { capture: true, passive: true });
  document.addEventListener("click", (event) => {
    if (event.target.closest?.("a[href^='#']")) requestAnimationFrame(() => { if (there()) keep(there()); });
  });
  window.addEventListener("hashchange", () => { if (there()) keep(there()); });
  if (there()) keep(there());

  window.addEventListener("beforeprint", () => {
    loadAll();
    document.querySelectorAll("details.list").forEach((details) => { details.open = true; });
  });

  // Ratings: kept in the browser under the manifest's hash, so that other data have their own.
  let ratings = {};
  try {
    const found = JSON.parse(localStorage.getItem(KEY));
    if (found && typeof found === "object") ratings = found;
    localStorage.setItem(KEY, JSON.stringify(ratings));
  } catch { $("storage").hidden = false; }

  const rating = (article) => ratings[article.dataset.case] ?? {};
  const rate = (article, change) => {
    ratings[article.dataset.case] = { ...rating(article), ...change };
    try { localStorage.setItem(KEY, JSON.stringify(ratings)); } catch { $("storage").hidden = false; }
    showRating(article);
  };
  const showRating = (article) => {
    const { verdict = "", note = "" } = rating(article);
    for (const button of article.querySelectorAll("[data-verdict]"))
      button.setAttribute("aria-pressed", String(button.dataset.verdict === verdict));
    const field = article.querySelector(".note");
    if (field.value !== note) field.value = note;
    document.dispatchEvent(new CustomEvent("rated", { detail: { article, verdict, note } }));
    $("rated").textContent = `${cases.filter((a) => rating(a).verdict).length}/${cases.length}`;
  };
  for (const article of cases) {
    showRating(article);
    for (const button of article.querySelectorAll("[data-verdict]"))
      button.addEventListener("click", () => {
        const again = rating(article).verdict === button.dataset.verdict;
        rate(article, { verdict: again ? "" : button.dataset.verdict });
      });
    const note = article.querySelector(".note");
    note.addEventListener("input", () => rate(article, { note: note.value }));
    note.addEventListener("keydown", (event) => { if (["Enter", "Escape"].includes(event.key)) article.focus({ preventScroll: true }); });
  }

  // A cell that begins like a formula would be run by a spreadsheet: it becomes text.
  const cell = (text) => `"${(/^[=+\-@\t\r]/.test(text) ? `'${text}` : text).replaceAll('"', '""')}"`;
  $("export").addEventListener("click", () => {
    const lines = cases.map((article) => {
      const { case: id, patient, sequence, split } = article.dataset;
      const { verdict = "", note = "" } = rating(article);
      return [id, patient, sequence, split, verdict, note, page].map(cell).join(",");
    });
    const text = ["case,patient,sequence,split,verdict,note,report", ...lines, ""].join("\r\n");
    const link = document.createElement("a");
    link.href = URL.createObjectURL(new Blob([text], { type: "text/csv" }));
    link.download = "ratings.csv";
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 10000);
  });

  const toggleContours = () => {
    const hidden = document.documentElement.classList.toggle("no-lines");
    for (const id of ["contours", "lines"]) $(id).setAttribute("aria-pressed", String(!hidden));
  };
  for (const id of ["contours", "lines"]) $(id).addEventListener("click", toggleContours);

  // Augmented copies: the original's picture is borrowed when it is looked at, not stored twice.
  const tileOf = (article, id) => [...article.querySelectorAll(".tile")].find((tile) => tile.dataset.id === id);
  document.addEventListener("toggle", (event) => {
      const details = event.target;
      if (!details.matches?.(".copies")) return;
      for (const figure of details.querySelectorAll("[data-parent]")) {
        const place = figure.querySelector(".original");
        const parent = tileOf(details.closest(".case"), figure.dataset.parent);
        if (parent && !place.firstChild) place.append(parent.querySelector(".film").cloneNode(true));
      }
  }, true);

  // The viewer.
  const viewer = $("viewer"), stage = $("stage"), slider = $("slice");
  let article, tiles = [], at = 0, copy = 0;
  const copiesOf = (tile) => [...article.querySelectorAll(".copies .tile")].filter((t) => t.closest("[data-parent]").dataset.parent === tile.dataset.id);
  const film = (tile) => {
    const shown = tile.querySelector(".film").cloneNode(true);
    const [width, height] = shown.style.aspectRatio.split("/").map(Number);
    shown.style.setProperty("--ratio", width / height);
    shown.querySelectorAll("img").forEach((img) => { img.loading = "eager"; });
    return shown;
  };
  const show = () => {
    const tile = tiles[at], copies = copiesOf(tile);
    copy = Math.min(copy, copies.length);
    const shown = copy ? [tile, copies[copy - 1]] : [tile];
    stage.replaceChildren(...shown.map(film));
    stage.classList.toggle("two", shown.length > 1);
    slider.value = at;
    slider.setAttribute("aria-valuetext", `slice ${tile.dataset.slice}`);
    $("viewer-title").textContent = tile.dataset.id;
    const twin = copy ? `, next to copy ${copy} of ${copies.length}` : "";
    $("viewer-info").textContent = `${at + 1} of ${tiles.length}${twin} · ${article.dataset.split}`;
    $("twin").disabled = !copies.length;
    $("twin").setAttribute("aria-pressed", String(copy > 0));
  };
  const go = (to) => { at = Math.max(0, Math.min(tiles.length - 1, to)); show(); };
  const nextCopy = () => { const n = copiesOf(tiles[at]).length; if (n) { copy = (copy + 1) % (n + 1); show(); } };
  const open = (tile) => {
    article = tile.closest(".case");
    tiles = [...article.querySelectorAll(".montage .tile")];
    copy = Number(tile.dataset.copy);
    if (copy) {
      const parent = tile.closest("[data-parent]").dataset.parent;
      at = tiles.findIndex((t) => t.dataset.id === parent);
      copy = at < 0 ? 0 : copiesOf(tiles[at]).indexOf(tile) + 1;
      if (at < 0) { tiles = [tile]; at = 0; }
    } else at = tiles.indexOf(tile);
    slider.max = tiles.length - 1;
    show();
    if (!viewer.open) viewer.showModal();
    slider.focus();
  };
  document.addEventListener("click", (event) => {
    const tile = event.target.closest(".case .tile");
    if (tile) open(tile);
  });
  slider.addEventListener("input", () => go(Number(slider.value)));
  $("twin").addEventListener("click", nextCopy);
  $("close").addEventListener("click", () => viewer.close());
  viewer.addEventListener("close", () => tiles[at]?.focus());

  // Level and width, as radiology has them: level - width/2 becomes black, level + width/2 white.
  const setWindow = () => {
    const level = Number($("level").value), width = Number($("width").value);
    for (const part of viewer.querySelectorAll("feFuncR, feFuncG, feFuncB")) {
      part.setAttribute("slope", 255 / width);
      part.setAttribute("intercept", (width / 2 - level) / width);
    }
  };
  const setFill = () => viewer.style.setProperty("--fill", $("fill").value / 100);
  const reset = () => { $("fill").value = 0; $("level").value = 127.5; $("width").value = 255; setWindow(); setFill(); };
  for (const id of ["level", "width"]) $(id).addEventListener("input", setWindow);
  $("fill").addEventListener("input", setFill);
  $("reset").addEventListener("click", reset);
  reset();

  let wheel = 0;
  stage.addEventListener("wheel", (event) => {
    event.preventDefault();
    // A notch of a mouse is about 100; a touchpad sends many small steps.
    wheel += event.deltaMode ? event.deltaY * 33 : event.deltaY;
    const steps = Math.trunc(wheel / 50);
    if (steps) { wheel = 0; go(at + Math.sign(steps)); }
  }, { passive: false });
  let from = null;
  stage.addEventListener("pointerdown", (event) => { from = event.clientY; stage.setPointerCapture(event.pointerId); });
  stage.addEventListener("pointermove", (event) => {
    const steps = from === null ? 0 : Math.trunc((event.clientY - from) / 18);
    if (steps) { from += steps * 18; go(at + steps); }
  });
  for (const end of ["pointerup", "pointercancel"]) stage.addEventListener(end, () => { from = null; });

  const inView = () => cases.findIndex((a) => a.getBoundingClientRect().bottom > document.querySelector(".top").offsetHeight);
  const focused = () => cases.indexOf(document.activeElement.closest?.(".case") ?? null);
  const nextCase = (by) => {
    const here = focused();
    const seen = here >= 0 ? here : inView() - (by > 0 ? 1 : 0);
    const next = cases[Math.max(0, Math.min(cases.length - 1, seen + by))];
    next?.focus({ preventScroll: true });
    if (next) keep(next);
  };
  // Of the case that is looked at, has the focus, or is in view.
  const current = () => viewer.open ? article : cases[Math.max(0, focused() >= 0 ? focused() : inView())];
  const judge = (verdict) => {
    const of = current();
    if (of) rate(of, { verdict: rating(of).verdict === verdict ? "" : verdict });
  };
  const writeNote = () => {
    const of = current();
    if (viewer.open) viewer.close();
    of?.querySelector(".note").focus();
  };
  const rates = { p: () => judge("pass"), f: () => judge("fail"), n: writeNote };
  const inViewer = {
    ...rates,
    ArrowUp: () => go(at - 1), ArrowLeft: () => go(at - 1), PageUp: () => go(at - 5), Home: () => go(0),
    ArrowDown: () => go(at + 1), ArrowRight: () => go(at + 1), PageDown: () => go(at + 5), End: () => go(tiles.length - 1),
    a: nextCopy, r: reset, c: toggleContours,
  };
  const onPage = {
    ...rates, c: toggleContours, j: () => nextCase(1), k: () => nextCase(-1) };
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.target.matches("input:not([type=range]), select")) return;
    // The other sliders keep their own arrow keys.
    if (event.target.matches("input[type=range]:not(#slice)") && event.key.length > 1) return;
    const act = (viewer.open ? inViewer : onPage)[event.key];
    if (act) { event.preventDefault(); act(); }
  });
})();
