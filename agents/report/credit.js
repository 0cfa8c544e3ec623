"use strict";
// A response, token by token, coloured by what each token was credited with.

const STRONGEST = 4; // nats (or units of advantage for GRPO: 1) at which the colour is full

/** The responses of an attempt with credit: one list of tokens that arrow keys walk through, and what is known of one. */
class CreditView {
  constructor(turns, credit) {
    this.credit = credit;
    this.distilled = credit.teacher != null;
    this.tokens = credit.tokens.map((text, i) => this.token(text, i));
    this.inspector = element("div", { class: "inspector", role: "status", "aria-label": "The token" });
    this.lists = [];
    let from = 0;
    for (const turn of turns) {
      const tokens = this.tokens.slice(from, (from += turn.tokens));
      this.lists.push(element("div", {
        class: "response tokens", role: "listbox", "aria-label": "Response, token by token: arrow keys go through it",
        keydown: (event) => this.key(event, tokens),
        mouseover: (event) => this.point(event), click: (event) => this.point(event), focusin: (event) => this.point(event),
      }, ...tokens));
      if (tokens.length) tokens[0].tabIndex = 0;
    }
    this.show(this.strongest());
  }

  /** What the token's colour says: log q − log π, or the advantage. */
  value(i) {
    const { teacher, student, advantage } = this.credit;
    return this.distilled ? teacher[i] - student[i] : advantage;
  }

  token(text, i) {
    const value = this.value(i);
    const shown = text ? text.replaceAll("\n", "⏎\n").replaceAll("\t", "⇥\t") : (this.credit.names[i] ?? "");
    const strength = Math.sqrt(Math.min(1, Math.abs(value) / (this.distilled ? STRONGEST : 1)));
    const token = element("span", {
      role: "option", tabindex: -1, "aria-selected": "false", "data-token": i,
      "aria-label": `${spoken(text || this.credit.names[i])}, ${signed(value, 2)}`,
      class: `token ${value > 0 ? "up" : "down"}${text ? "" : " special"}${Math.abs(value) >= (this.distilled ? 1 : 0.5) ? " strong" : ""}`,
    }, shown);
    token.style.setProperty("--strength", `${Math.round(100 * strength)}%`);
    return token;
  }

  strongest() {
    let best = 0;
    for (const i of this.tokens.keys()) if (Math.abs(this.value(i)) > Math.abs(this.value(best))) best = i;
    return best;
  }

  point(event) {
    const token = event.target.closest("[data-token]");
    if (token) this.show(Number(token.dataset.token));
  }

  key(event, tokens) {
    const at = tokens.indexOf(document.activeElement);
    const to = { ArrowRight: at + 1, ArrowDown: at + 1, ArrowLeft: at - 1, ArrowUp: at - 1, Home: 0, End: tokens.length - 1 }[event.key];
    if (to == null) return;
    event.preventDefault();
    const next = tokens[Math.max(0, Math.min(tokens.length - 1, to))];
    for (const token of tokens) token.tabIndex = token === next ? 0 : -1;
    next.focus();
  }

  show(i) {
    if (i === this.selected || !this.tokens.length) return;
    this.tokens[this.selected]?.setAttribute("aria-selected", "false");
    this.tokens[i].setAttribute("aria-selected", "true");
    this.selected = i;
    this.inspector.replaceChildren(...this.details(i));
  }

  details(i) {
    const { tokens, names, student, teacher, advantage, alternatives } = this.credit;
    const name = tokens[i] || names[i];
    const facts = [["student π", probability(student[i])]];
    if (this.distilled) facts.push(["teacher q", probability(teacher[i])], ["log q − log π", signed(this.value(i))]);
    if (advantage != null) facts.push(["advantage", signed(advantage)]);
    const parts = [
      element("h4", {}, element("span", { class: "name" }, visible(name)), ` token ${i + 1} of ${tokens.length}`),
      element("dl", {}, ...facts.flatMap(([label, value]) => [element("dt", {}, label), element("dd", {}, value)])),
    ];
    if (!tokens[i]) parts.push(element("p", { class: "hint" }, name.includes("�") ? "part of a character that a later token ends" : "a special token, not part of the text"));
    if (alternatives) parts.push(this.alternatives(alternatives[i], name));
    return parts;
  }

  alternatives(found, sampled) {
    const bar = (value, kind) => {
      const mark = element("span", { class: `bar ${kind}`, "aria-hidden": "true" });
      mark.style.width = `${Math.max(1, 100 * value)}%`;
      return element("span", { class: "barred" }, percent(value), mark);
    };
    return table("Likeliest tokens here", ["could have been", "student", "teacher"], found.map(([text, mine, theirs]) => [
      [visible(text), text === sampled ? "name sampled" : "name"], bar(mine, "student"), bar(theirs, "teacher"),
    ]));
  }

  legend() {
    const ends = this.distilled
      ? ["the teacher finds it less likely", "the teacher finds it likelier"]
      : ["made less likely", "made likelier"];
    const what = this.distilled ? `log q − log π, from −${STRONGEST} to +${STRONGEST} nats` : "advantage, from −1 to +1: GRPO gives every token of a response the same";
    return element("p", { class: "legend" }, element("span", {}, ends[0]), element("span", { class: "scale", "aria-hidden": "true" }), element("span", {}, ends[1]), element("span", { class: "hint" }, what));
  }
}

function probability(log) {
  if (log == null) return "not a number";
  return `${percent(Math.exp(log))} (log ${log.toFixed(2).replace("-", "−")})`;
}

function percent(value) {
  return value >= 0.9995 ? ">99.9 %" : value < 0.001 ? "<0.1 %" : `${(100 * value).toFixed(1)} %`;
}

/** A token's text with its white space made visible. */
function visible(text) {
  return text.replaceAll(" ", "␣").replaceAll("\n", "⏎").replaceAll("\t", "⇥") || "(empty)";
}

function spoken(text) {
  const named = (text ?? "").replaceAll("\n", " new line ").replaceAll("\t", " tab ");
  return named.trim() ? named : text ? `${text.length} spaces` : "nothing";
}
