"use strict";
// The table of attempts, its filters, and the attempt that is open.

const ROWS = 12;

class Rollouts {
  constructor(summary, columns) {
    this.summary = summary;
    this.columns = columns;
    this.curveOf = [];
    summary.curves.forEach((curve, i) => curve.runs.forEach((run) => (this.curveOf[run] = i)));
    this.count = columns.id.length;
    this.order = [...Array(this.count).keys()]; // sorted
    this.found = this.order; // sorted and filtered
    this.page = 0;
    this.sorted = { column: null, descending: false };
    this.headings();
    this.filters();
    this.draw();
    this.hint();
  }

  hint() {
    const total = this.summary.runs.reduce((sum, run) => sum + run.rollouts, 0);
    const credited = this.columns.credit.filter((value) => value != null).length;
    const left = this.count < total ? ` of ${number(total)} (the others were left out of this page)` : "";
    const credit = credited
      ? `Of ${number(credited)}, the credit of every token is here: ▣. Choose one to see it.`
      : "No token credit was recorded: train with --credit-samples above 0.";
    document.getElementById("attempts-hint").textContent = `${number(this.count)} attempts${left}. ${credit}`;
  }

  /** Columns of the table: title, data, how a cell shows it, whether it is a number. */
  shape() {
    const several = this.summary.runs.length > 1;
    return [
      { title: "Attempt", key: "id" },
      ...(several ? [{ title: "Run", key: "run", show: (run) => swatch(this.curveOf[run], this.summary.runs[run].name) }] : []),
      { title: "Step", key: "step", numeric: true },
      { title: "Phase", key: "phase" },
      { title: "Task", key: "task" },
      { title: "Outcome", key: "outcome", show: (outcome, i) => element("span", { class: this.columns.success[i] ? "badge good" : "badge" }, outcome) },
      { title: "Reward", key: "reward", numeric: true, show: number },
      { title: "Tokens", key: "tokens", numeric: true, show: number },
      { title: "Credit", key: "credit", numeric: true, show: (value) => (value == null ? "" : `▣ ${value.toFixed(2)}`) },
      { title: "Response", key: "preview" },
    ];
  }

  headings() {
    const row = document.querySelector("#rollouts thead tr");
    row.replaceChildren(...this.shape().map(({ title, key, numeric }) => {
      const { column, descending } = this.sorted;
      const state = column !== key ? null : descending ? "descending" : "ascending";
      const mark = state ? (descending ? " ▾" : " ▴") : "";
      return element("th", { scope: "col", class: numeric ? "numeric" : `column-${key}`, "aria-sort": state },
        element("button", { type: "button", "data-key": key, click: () => this.sort(key, numeric) }, title + mark));
    }));
  }

  sort(key, numeric) {
    const again = this.sorted.column === key;
    this.sorted = { column: key, descending: again ? !this.sorted.descending : Boolean(numeric) };
    const values = this.columns[key];
    const sign = this.sorted.descending ? -1 : 1;
    const compare = numeric || key === "run" ? (a, b) => sign * (a - b) : (a, b) => sign * (a < b ? -1 : a > b ? 1 : 0);
    this.order = [...Array(this.count).keys()].sort((a, b) => {
      const [one, other] = [values[a], values[b]];
      return one === other ? a - b : one == null ? 1 : other == null ? -1 : compare(one, other) || a - b;
    });
    this.headings();
    document.querySelector(`#rollouts thead [data-key="${key}"]`).focus();
    this.filter();
  }

  filters() {
    const choices = (id, all, values, label = (value) => value) => {
      const select = document.getElementById(id);
      select.append(element("option", { value: "" }, all), ...values.map((value) => element("option", { value }, label(value))));
      select.closest("label").hidden = values.length < 2;
      select.addEventListener("change", () => this.filter());
    };
    const distinct = (key) => [...new Set(this.columns[key])].sort();
    choices("filter-run", "all", [...this.summary.runs.keys()], (run) => this.summary.runs[run].name);
    choices("filter-phase", "all", distinct("phase"));
    choices("filter-outcome", "all", distinct("outcome"));
    document.getElementById("filter-credit").addEventListener("change", () => this.filter());
    let waiting;
    document.getElementById("search").addEventListener("input", () => {
      clearTimeout(waiting);
      waiting = setTimeout(() => this.filter(), 150);
    });
    const form = document.getElementById("filters");
    form.addEventListener("submit", (event) => { event.preventDefault(); this.filter(); });
    form.addEventListener("reset", () => setTimeout(() => this.filter()));
    for (const [id, to] of [["first-page", () => 0], ["previous-page", () => this.page - 1], ["next-page", () => this.page + 1], ["last-page", () => Infinity]]) {
      document.getElementById(id).addEventListener("click", () => { this.page = to(); this.draw(); });
    }
  }

  async filter() {
    const value = (id) => document.getElementById(id).value;
    const [run, phase, outcome] = [value("filter-run"), value("filter-phase"), value("filter-outcome")];
    const credit = document.getElementById("filter-credit").checked;
    const words = value("search").trim().toLowerCase();
    const request = (this.request = {});
    const texts = words ? await this.searchable() : null;
    if (request !== this.request) return; // a later one came first
    const { columns } = this;
    this.found = this.order.filter((i) =>
      (!run || columns.run[i] === Number(run)) && (!phase || columns.phase[i] === phase) &&
      (!outcome || columns.outcome[i] === outcome) && (!credit || columns.credit[i] != null) && (!words || texts[i].includes(words)));
    this.page = 0;
    this.draw();
  }

  /** What each attempt is searched in; made with the first search. */
  searchable() {
    this.searching ??= (async () => {
      const pieces = Math.ceil(this.count / this.summary.pieces[0]);
      const texts = (await Promise.all([...Array(pieces).keys()].map((i) => unpack(`data-texts-${i}`)))).flat();
      return texts.map(({ turns }, i) =>
        [this.columns.id[i], this.columns.task[i], ...turns.flatMap((turn) => [turn.response, turn.feedback])].join("\n").toLowerCase());
    })();
    return this.searching;
  }

  draw() {
    const pages = Math.max(1, Math.ceil(this.found.length / ROWS));
    this.page = Math.max(0, Math.min(pages - 1, this.page));
    const from = this.page * ROWS;
    const rows = this.found.slice(from, from + ROWS);
    const shape = this.shape();
    document.querySelector("#rollouts tbody").replaceChildren(...rows.map((i) => element("tr", { "data-row": i, class: i === this.open ? "open" : null, click: (event) => {
      if (!event.target.closest("button") && !String(getSelection())) this.show(i);
    } }, ...shape.map(({ key, show, numeric }) => {
      const content = this.columns[key][i];
      if (key === "id") return element("th", { scope: "row" }, element("button", { type: "button", class: "link", click: () => this.show(i) }, content));
      return element("td", { class: numeric ? "numeric" : `column-${key}` }, show ? show(content, i) : String(content));
    }))));
    const range = rows.length ? `${number(from + 1)}–${number(from + rows.length)} of ${number(this.found.length)}` : "no attempt matches";
    document.getElementById("page-status").textContent = range;
    for (const id of ["first-page", "previous-page"]) document.getElementById(id).disabled = this.page === 0;
    for (const id of ["next-page", "last-page"]) document.getElementById(id).disabled = this.page === pages - 1;
  }

  /** Open an attempt below the table. */
  async show(i, focus = true) {
    this.open = i;
    const [atOnce, creditsAtOnce] = this.summary.pieces;
    const texts = await unpackItem("data-texts", i, atOnce);
    const messages = (await unpack("data-prompts"))[texts.prompt];
    const credit = texts.credit == null ? null : await unpackItem("data-credit", texts.credit, creditsAtOnce);
    if (this.open !== i) return;
    this.draw();
    const article = document.getElementById("attempt");
    article.replaceChildren(...this.attempt(i, texts, messages, credit));
    article.hidden = false;
    if (focus) {
      history.replaceState(null, "", `#${this.link(i)}`);
      const heading = document.getElementById("attempt-heading");
      heading.focus({ preventScroll: true });
      heading.scrollIntoView({ block: "start" });
    }
  }

  link(i) {
    return `attempt=${this.columns.run[i]}/${this.columns.id[i]}`;
  }

  /** Open what the address names, else the failed attempt whose tokens were credited with most in all. */
  start() {
    const named = this.columns.id.findIndex((_, i) => `#${this.link(i)}` === location.hash);
    if (named >= 0) return this.show(named);
    const { credit, tokens, success } = this.columns;
    const worth = (i) => (success[i] ? 0 : 1e6) + credit[i] * tokens[i];
    const best = this.order.filter((i) => credit[i] != null).reduce((a, b) => (a == null || worth(b) > worth(a) ? b : a), null);
    return best == null ? null : this.show(best, false);
  }

  attempt(i, texts, messages, credit) {
    const { columns } = this;
    const step = (by) => {
      const next = this.found[this.found.indexOf(i) + by];
      return element("button", { type: "button", disabled: next == null, click: () => {
        this.page = Math.floor(this.found.indexOf(next) / ROWS);
        this.show(next);
      } }, by < 0 ? "‹ Previous attempt" : "Next attempt ›");
    };
    const view = credit && new CreditView(texts.turns, credit);
    const facts = [
      this.summary.runs[columns.run[i]].name, `${columns.phase[i]}, step ${columns.step[i]}`, `reward ${number(columns.reward[i])}`, `${columns.tokens[i]} tokens`,
      ...Object.entries(texts.metrics).map(([name, value]) => `${name} ${number(value)}`),
    ];
    const turns = texts.turns.map((turn, k) => element("section", { class: "turn" },
      element("h4", {}, texts.turns.length > 1 ? `Response ${k + 1}` : "Response", turn.truncated ? " (cut off by the token limit)" : ""),
      view ? view.lists[k] : element("pre", { class: "response" }, turn.response),
      turn.feedback ? element("h4", {}, "Feedback") : null,
      turn.feedback ? element("pre", { class: "feedback" }, turn.feedback) : null));
    return [
      element("div", { class: "bar-of-buttons" }, step(-1), step(+1), element("button", { type: "button", click: () => this.backToTable(i) }, "Back to the table")),
      element("h3", { id: "attempt-heading", tabindex: -1 }, columns.task[i], " ", element("span", { class: columns.success[i] ? "badge good" : "badge" }, columns.outcome[i])),
      element("p", { class: "hint" }, facts.join(" · ")),
      folded(`Prompt${messages.length > 1 ? ` (${messages.length} messages)` : ""}`, !view, ...messages.map((message) => element("div", { class: "message" }, element("p", { class: "role" }, message.role), element("pre", {}, message.content)))),
      view ? view.legend() : null,
      element("div", { class: view ? "with-inspector" : "" }, element("div", { class: "turns" }, ...turns), view ? view.inspector : null),
      credit?.context ? folded("What the teacher read in place of the prompt", false, element("pre", {}, credit.context)) : null,
    ].filter((part) => part != null);
  }

  backToTable(i) {
    const row = document.querySelector(`#rollouts [data-row="${i}"] button`) ?? document.getElementById("search");
    row.focus();
    row.scrollIntoView({ block: "center" });
  }
}

function folded(title, open, ...content) {
  return element("details", { open }, element("summary", {}, title), ...content);
}
