"use strict";
// Everything here is a convenience: without it the page shows the same, unsorted.
document.documentElement.classList.add("scripted");

const keyOf = (cell) => {
  const text = cell.textContent.trim();
  const number = parseFloat(text.replace(/,/g, ""));
  return Number.isNaN(number) ? text.toLowerCase() : number;
};
const compare = (a, b) => {
  if (typeof a === "number" && typeof b === "number") return a - b;
  if (typeof a === typeof b) return a < b ? -1 : a > b ? 1 : 0;
  return typeof a === "number" ? -1 : 1;
};

for (const table of document.querySelectorAll("table.sortable")) {
  const headings = [...table.tHead.rows[0].cells];
  const body = table.tBodies[0];
  const given = [...body.rows];
  headings.forEach((heading, column) => {
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = heading.textContent;
    heading.replaceChildren(button);
    button.addEventListener("click", () => {
      const first = heading.classList.contains("number") ? "descending" : "ascending";
      const second = first === "ascending" ? "descending" : "ascending";
      const before = heading.getAttribute("aria-sort");
      const order = before === first ? second : before === second ? null : first;
      headings.forEach((other) => other.removeAttribute("aria-sort"));
      const rows = [...given];
      if (order) {
        heading.setAttribute("aria-sort", order);
        const sign = order === "ascending" ? 1 : -1;
        rows.sort((a, b) => sign * compare(keyOf(a.cells[column]), keyOf(b.cells[column])));
      }
      body.append(...rows);
    });
  });
}

const examples = [...document.querySelectorAll(".examples > details")];
const cells = [...document.querySelectorAll(".confusion td a")];
const choose = (id) => {
  const chosen = examples.find((one) => one.id === id);
  if (!chosen) return false;
  for (const one of examples) {
    one.classList.toggle("chosen", one === chosen);
    one.open = one === chosen;
  }
  for (const cell of cells) {
    cell.classList.toggle("chosen", cell.hash === "#" + id);
    if (cell.hash === "#" + id) cell.setAttribute("aria-current", "true");
    else cell.removeAttribute("aria-current");
  }
  return true;
};
if (examples.length) {
  choose(examples[0].id);
  choose(location.hash.slice(1));
  addEventListener("hashchange", () => choose(location.hash.slice(1)));
  for (const cell of cells) {
    cell.addEventListener("click", (event) => {
      if (choose(cell.hash.slice(1))) {
        event.preventDefault();
        const summary = document.querySelector(cell.hash + " summary");
        summary.focus({ preventScroll: true });
        summary.scrollIntoView({ block: "nearest" });
      }
    });
  }
}

const form = document.querySelector("form.search");
if (form) {
  const PAGE = 20;
  const list = document.getElementById("all-texts");
  const items = [...list.querySelectorAll("li")];
  const words = items.map((item) => item.textContent.toLowerCase());
  const search = document.getElementById("search");
  const shown = document.getElementById("shown");
  const matches = document.getElementById("matches");
  const more = document.getElementById("more");
  let limit = PAGE;
  const show = () => {
    const asked = search.value.toLowerCase().split(/\s+/).filter(Boolean);
    let count = 0;
    items.forEach((item, place) => {
      const fits =
        (!shown.value || item.className === shown.value) &&
        asked.every((word) => words[place].includes(word));
      if (fits) count += 1;
      item.hidden = !fits || count > limit;
    });
    matches.textContent =
      count === 1 ? "1 text matches." : count.toLocaleString("en") + " texts match.";
    more.hidden = count <= limit;
  };
  const restart = () => {
    limit = PAGE;
    show();
  };
  form.hidden = false;
  list.open = true;
  form.addEventListener("submit", (event) => event.preventDefault());
  search.addEventListener("input", restart);
  shown.addEventListener("change", restart);
  more.addEventListener("click", () => {
    limit += 10 * PAGE;
    show();
  });
  show();
}
