"use strict";
(() => {
  const $ = (id) => document.getElementById(id);
  const table = $("glance"), body = table.tBodies[0], rows = [...body.rows];
  const byCase = new Map(rows.map((row) => [row.dataset.case, row]));
  const articles = new Map([...document.querySelectorAll(".case")].map((one) => [one.dataset.case, one]));
  // Name of a file -> case -> [verdict, note]: those that the page was made with, and those given to it.
  const readers = new Map(JSON.parse(table.dataset.readers).map(([name, one]) => [name, new Map(Object.entries(one))]));
  const of = (reader, row) => reader.get(row.dataset.case) ?? ["", ""];

  // Sorting: numbers by their value, the rest as text; the order of the page comes first.
  const headings = [...table.tHead.rows[0].cells];
  const compared = new Intl.Collator("en", { numeric: true }).compare;
  for (const [at, heading] of headings.entries())
    heading.firstElementChild.addEventListener("click", () => {
      const down = heading.getAttribute("aria-sort") === "ascending" ? -1 : 1;
      for (const one of headings) one.setAttribute("aria-sort", one === heading ? (down > 0 ? "ascending" : "descending") : "none");
      const key = (row) => row.cells[at].dataset.v ?? row.cells[at].textContent;
      const number = rows.every((row) => row.cells[at].dataset.v !== undefined);
      const order = number ? (a, b) => key(a) - key(b) : (a, b) => compared(key(a), key(b));
      body.append(...[...rows].sort((a, b) => down * order(a, b)));
    });

  const own = (row) => row.dataset.own ?? "";
  const verdicts = (row) => [own(row), ...[...readers.values()].map((one) => of(one, row)[0])].filter(Boolean);
  const kinds = {
    outlier: (row) => Number(row.dataset.z) > 0,
    fault: (row) => Number(row.dataset.faults) > 0,
    warning: (row) => Number(row.dataset.warnings) > 0,
    unrated: (row) => !own(row),
    pass: (row) => own(row) === "pass",
    fail: (row) => own(row) === "fail",
    differ: (row) => new Set(verdicts(row)).size > 1,
  };
  const filter = () => {
    const text = $("find").value.trim().toLowerCase(), side = $("side").value, only = kinds[$("only").value];
    let left = 0;
    for (const row of rows) {
      const fits = (!side || row.dataset.side === side) && (!only || only(row)) && row.textContent.toLowerCase().includes(text);
      row.hidden = !fits;
      left += fits;
    }
    $("matched").textContent = `${left} of ${rows.length} cases`;
  };
  for (const id of ["find", "side", "only"]) $(id).addEventListener("input", filter);

  const show = (row) => {
    const told = [own(row) && `you ${own(row)}`, ...[...readers].map(([name, one]) => of(one, row)[0] && `${name} ${of(one, row)[0]}`)];
    const cell = row.querySelector(".rated");
    cell.textContent = told.filter(Boolean).join(", ");
    cell.classList.toggle("odd", kinds.differ(row));
    const others = articles.get(row.dataset.case).querySelector(".others");
    const said = [...readers].map(([name, one]) => [name, of(one, row).filter(Boolean)]).filter(([, one]) => one.length);
    others.textContent = said.map(([name, one]) => `${name}: ${one.join(", ")}`).join(" \u00b7 ");
    others.hidden = !said.length;
  };
  document.addEventListener("rated", ({ detail }) => {
    const row = byCase.get(detail.article.dataset.case);
    row.dataset.own = detail.verdict;
    show(row);
    agree();
  });

  // A table as this page writes it: quoted cells, quotes doubled, lines that may break in a cell.
  const parsed = (text) => {
    const lines = [[]];
    for (const [, quoted, plain, end] of text.replace(/^\uFEFF/, "").matchAll(/(?:"((?:[^"]|"")*)"|([^",\r\n]*))(,|\r?\n|$)/g)) {
      lines.at(-1).push(quoted !== undefined ? quoted.replaceAll('""', '"') : plain);
      if (end !== ",") lines.push([]);
      if (end === "") break;
    }
    return lines.filter((line) => line.some(Boolean));
  };
  const page = document.documentElement.dataset.report;
  const unused = (name) => { let free = name; for (let n = 2; readers.has(free); n++) free = `${name} ${n}`; return free; };
  $("readers").addEventListener("change", async (event) => {
    const lost = [];
    for (const file of event.target.files) {
      const [names = [], ...lines] = parsed(await file.text());
      const [id, verdict, note, key] = ["case", "verdict", "note", "report"].map((name) => names.indexOf(name));
      const found = new Map(lines.map((line) => [line[id], [(line[verdict] ?? "").trim().toLowerCase(), (line[note] ?? "").replace(/^'(?=[=+\-@\t\r])/, "")]]));
      const fits = [...found].every(([one, [said]]) => byCase.has(one) && ["", "pass", "fail"].includes(said)) && lines.every((line) => !line[key] || line[key] === page);
      if (id < 0 || verdict < 0 || !fits || ![...found.values()].some((one) => one.some(Boolean))) lost.push(file.name);
      else readers.set(unused(file.name.replace(/\.csv$/i, "")), found);
    }
    rows.forEach(show);
    filter();
    agree(lost);
  });

  // Cohen's kappa (1960): (observed - by chance) / (1 - by chance), over cases that both rated.
  const kappa = (pairs) => {
    const part = (kind, side) => pairs.filter((pair) => pair[side] === kind).length / pairs.length;
    const same = pairs.filter(([a, b]) => a === b).length / pairs.length;
    const chance = [...new Set(pairs.flat())].reduce((sum, kind) => sum + part(kind, 0) * part(kind, 1), 0);
    return chance < 1 ? ((same - chance) / (1 - chance)).toFixed(2) : "not defined, because all ratings are the same";
  };
  const agree = (lost = []) => {
    const every = new Map([...readers].map(([name, one]) => [name, new Map([...one].filter(([, [said]]) => said).map(([id, [said]]) => [id, said]))])), mine = new Map(rows.filter(own).map((row) => [row.dataset.case, own(row)]));
    if (mine.size) every.set("you", mine);
    const told = lost.map((name) => `${name}: not a table of ratings of this page with the columns case and verdict.`);
    const names = [...every.keys()];
    for (const [i, a] of names.entries())
      for (const b of names.slice(i + 1)) {
        const pairs = [...every.get(a)].filter(([id]) => every.get(b).has(id)).map(([id, verdict]) => [verdict, every.get(b).get(id)]);
        const same = pairs.filter(([x, y]) => x === y).length;
        told.push(pairs.length ? `${a} and ${b} agree on ${same} of ${pairs.length} cases, Cohen's kappa ${kappa(pairs)}.` : `${a} and ${b} have no case in common that both rated.`);
      }
    $("agreement").textContent = told.join(" ");
  };
  for (const article of articles.values()) {
    const pressed = article.querySelector("[data-verdict][aria-pressed=true]");
    const row = byCase.get(article.dataset.case);
    if (pressed) row.dataset.own = pressed.dataset.verdict;
    show(row);
  }
  agree();

  // Along a strip with the arrow keys; Enter follows the point's link.
  for (const strip of document.querySelectorAll(".strip svg"))
    strip.addEventListener("keydown", (event) => {
      const points = [...strip.querySelectorAll("a")], at = points.indexOf(document.activeElement);
      const to = { ArrowRight: at + 1, ArrowLeft: at < 0 ? points.length - 1 : at - 1, Home: 0, End: points.length - 1 }[event.key];
      if (to === undefined) return;
      event.preventDefault();
      points[Math.max(0, Math.min(points.length - 1, to))].focus();
    });
})();
