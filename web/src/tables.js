// Sorting by a click on a column's head, and a filter for tables longer than a glance.
const filter_rows_min = 12;

function number_of(words) {
  const plain = words.replace(/\u2212/g, "-").replace(/[,\s%]/g, "");
  return plain === "" || Number.isNaN(Number(plain)) ? null : Number(plain);
}

function compare(a, b) {
  const x = number_of(a);
  const y = number_of(b);
  if (x !== null && y !== null) return x - y;
  if ((x === null) !== (y === null)) return x === null ? 1 : -1;
  return a < b ? -1 : a > b ? 1 : 0;
}

function make_sortable(table) {
  const body = table.tBodies[0];
  const heads = [...table.tHead.rows[0].cells];
  heads.forEach((head, column) => {
    const button = document.createElement("button");
    button.type = "button";
    button.className = "sort";
    button.append(...head.childNodes);
    head.append(button);
    button.addEventListener("click", () => {
      const is_ascending = head.getAttribute("aria-sort") !== "ascending";
      for (const other of heads) other.removeAttribute("aria-sort");
      head.setAttribute("aria-sort", is_ascending ? "ascending" : "descending");
      const rows = [...body.rows];
      const cell = (row) => (row.cells[column] ? row.cells[column].textContent : "");
      rows.sort((a, b) => (is_ascending ? compare(cell(a), cell(b)) : compare(cell(b), cell(a))));
      body.append(...rows);
    });
  });
}

function make_filterable(table) {
  const label = document.createElement("label");
  const field = document.createElement("input");
  field.type = "search";
  label.append("Filter rows ", field);
  const tools = document.createElement("div");
  tools.className = "tools";
  tools.append(label);
  table.parentElement.before(tools);
  field.addEventListener("input", () => {
    const wanted = field.value.toLowerCase();
    for (const row of table.tBodies[0].rows) row.hidden = !row.textContent.toLowerCase().includes(wanted);
  });
}

export function enhance_tables() {
  for (const table of document.querySelectorAll("table.data")) {
    if (!table.tHead || !table.tBodies[0] || table.tBodies[0].rows.length < 2) continue;
    make_sortable(table);
    if (table.tBodies[0].rows.length >= filter_rows_min) make_filterable(table);
  }
}
