// The table view: cells can be inspected and corrected, and the table copied or downloaded.

import { contextOf } from "./drawing.js";
import { download } from "./pictures.js";
import { say } from "./say.js";

/** @import { Box, Reading, Sent } from "./requests.js" */
/** @import { Page } from "../page.d.ts" */

/**
 * A cell on the page: its input, and its box in the picture sent.
 * @typedef {{ input: HTMLInputElement, box: Box, row: number, column: number }} Cell
 */

const DOUBTFUL = 0.9; // confidence below which a number needs checking
const AROUND = 0.15; // margin around a cell in its preview, relative to its size
/** @type {Record<string, number>} rows down */
const MOVES = { Enter: 1, ArrowDown: 1, ArrowUp: -1 };

export class TableView {
  /** @type {Reading | null} */
  #reading = null;
  /** @type {Map<string, Cell[][][]>} corrected tables by the JSON of the answer */
  #kept = new Map();
  /** @type {Sent | null} */
  #file = null;
  /** @type {Cell[][][]} by table, row and column */
  #tables = [];
  /** @type {Cell | null} */
  #chosen = null;
  #asked = 0;

  /**
   * `onChosen(box)`: the box of the selected cell in pixels of the picture; null for none.
   * @param {Page} element
   * @param {(box: Box | null) => void} onChosen
   */
  constructor(element, onChosen) {
    this.onChosen = onChosen;
    this._all = element;
    this._section = element.querySelector("#table");
    this._cells = element.querySelector("#table-cells");
    this._crop = element.querySelector("#crop");
    this._said = element.querySelector("#table-said");
    element.querySelector("#table-copy").addEventListener("click", () => this.#copy());
    element.querySelector("#table-download").addEventListener("click", () => this.#download());
  }

  /**
   * Show the tables of an answer, if it has any. An answer that comes again, after Undo too, keeps corrections.
   * @param {Reading} reading
   * @param {Sent} file
   */
  show(reading, file) {
    if (!reading.tables.length) return this.hide();
    const before = this.#reading;
    this.#file = file;
    if (before && JSON.stringify(before) === JSON.stringify(reading)) {
      this.onChosen(this.#chosen?.box ?? null); // the new answer has removed the outline
      return;
    }
    this.#reading = reading;
    const answer = JSON.stringify(reading);
    this.#tables = this.#kept.get(answer) ?? reading.tables.map((_, index) => this.#made(index, reading));
    this.#kept.set(answer, this.#tables);
    this._cells.replaceChildren(...this.#tables.map(drawn));
    const printed = reading.numbers.some((number) => number.printed);
    this._said.textContent = [say("table_help"), printed ? say("table_printed") : ""].join(" ").trim();
    this.#look(null);
    this.#toggle(true);
  }

  hide() {
    this.#reading = null;
    this.#tables = [];
    this._cells.replaceChildren();
    this.#toggle(false);
  }

  /** @param {boolean} shown */
  #toggle(shown) {
    this._section.hidden = !shown;
    this._all.querySelector(".digits").classList.toggle("with-table", shown);
  }

  /**
   * @param {number} index
   * @param {Reading} reading
   */
  #made(index, reading) {
    const table = reading.tables[index];
    const which = reading.tables.length > 1 ? say("table_number", { number: index + 1 }) : "";
    /** @type {Cell[][]} */
    const rows = Array.from({ length: table.rows }, () => []);
    for (const { row, column, box, numbers } of table.cells) {
      const input = document.createElement("input");
      const found = numbers.map((index) => reading.numbers[index]);
      input.value = found.map((number) => number.text).join(" ");
      const sure = howSure(found.map((number) => number.confidence));
      const printed = found.some((number) => number.printed);
      const place = which + say("table_cell", { row: row + 1, column: column + 1 });
      const kind = sure || (printed ? "printed" : "");
      input.className = sure;
      input.classList.toggle("printed", printed);
      input.ariaLabel = kind ? say(`cell_${kind}`, { cell: place }) : place;
      input.autocomplete = "off";
      input.inputMode = "decimal";
      const cell = { input, box, row, column };
      input.addEventListener("focus", () => this.#look(cell));
      input.addEventListener("input", () => {
        input.className = "corrected";
        input.ariaLabel = place;
      });
      input.addEventListener("keydown", (event) => this.#move(event, rows, cell));
      rows[row][column] = cell;
    }
    return rows;
  }

  /**
   * Move to the next cell above or below, as in a spreadsheet; missing cells are skipped.
   * @param {KeyboardEvent} event
   * @param {Cell[][]} rows
   * @param {Cell} cell
   */
  #move(event, rows, cell) {
    const down = MOVES[event.key];
    if (!down) return;
    let row = cell.row + down;
    while (rows[row] && !rows[row][cell.column]) row += down;
    const next = rows[row]?.[cell.column];
    if (!next) return;
    event.preventDefault();
    next.input.focus();
    next.input.select();
  }

  /** @param {Cell | null} cell */
  async #look(cell) {
    const asked = ++this.#asked;
    this.#chosen = cell;
    this._crop.hidden = !cell;
    this.onChosen(cell?.box ?? null);
    if (!cell || !this.#file) return;
    const [left, top, right, bottom] = cell.box;
    const [across, down] = [AROUND * (right - left), AROUND * (bottom - top)];
    const [width, height] = [right - left + 2 * across, bottom - top + 2 * down];
    const part = await createImageBitmap(
      this.#file,
      Math.round(left - across),
      Math.round(top - down),
      Math.max(1, Math.round(width)),
      Math.max(1, Math.round(height)),
    );
    if (asked !== this.#asked) return;
    Object.assign(this._crop, { width: part.width, height: part.height });
    contextOf(this._crop).drawImage(part, 0, 0);
  }

  /**
   * All tables as text, separated by empty lines.
   * @param {string} between
   * @param {(text: string) => string} written
   */
  #text(between, written) {
    return this.#tables
      .map((rows, i) => {
        const columns = this.#reading?.tables[i].columns ?? 0;
        return rows
          .map((row) =>
            Array.from({ length: columns }, (_, k) => written(row[k]?.input.value.trim() ?? "")).join(
              between,
            ),
          )
          .join("\r\n");
      })
      .join("\r\n\r\n");
  }

  async #copy() {
    const done = await copied(this.#text("\t", (text) => text.replaceAll(/\s+/g, " ")));
    this._said.textContent = say(done ? "table_copied" : "table_not_copied");
  }

  #download() {
    // An empty cell that is alone in its row is quoted, because an empty line separates tables.
    const alone = this.#reading?.tables.some((table) => table.columns === 1);
    const quoted = alone ? /[",]|^$/ : /[",]/;
    const text = this.#text(",", (cell) => (quoted.test(cell) ? `"${cell.replaceAll('"', '""')}"` : cell));
    const name = this.#file?.name?.replace(/\.[^.]*$/, "") ?? "table";
    download(new Blob([text, "\r\n"], { type: "text/csv" }), `${name}.csv`);
  }
}

/**
 * The CSS class of a cell, which marks doubtful and unread ones.
 * @param {(number | null)[]} confidences
 */
export function howSure(confidences) {
  if (confidences.includes(null)) return "unread";
  return confidences.some((sure) => sure !== null && sure < DOUBTFUL) ? "doubtful" : "";
}

/** @param {Cell[][]} rows */
function drawn(rows) {
  const table = document.createElement("table");
  const columns = Math.max(...rows.map((row) => row.length));
  const widths = Array.from({ length: columns }, (_, k) =>
    Math.max(2, ...rows.map((row) => row[k]?.input.value.length ?? 0)),
  );
  for (const row of rows) {
    const line = table.insertRow();
    for (let k = 0; k < columns; k++) {
      const cell = line.insertCell();
      if (!row[k]) continue;
      row[k].input.size = widths[k];
      cell.append(row[k].input);
    }
  }
  return table;
}

/**
 * Copy a text; returns whether it worked. Without HTTPS, browsers deny the clipboard, but most copy a selection.
 * @param {string} text
 */
async function copied(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    const area = document.createElement("textarea");
    area.value = text;
    document.body.append(area);
    area.select();
    const done = document.execCommand("copy");
    area.remove();
    return done;
  }
}
