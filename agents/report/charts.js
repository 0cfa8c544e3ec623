"use strict";
// Figures, by Plotly, each with its numbers as a table; drawn when they come into view.

const PANELS = [
  { title: "Success in evaluations", phase: "evaluation", metric: "success_rate", rate: true, note: "fraction of attempts; always the same tasks" },
  { title: "Success while training", phase: "train", metric: "success_rate", rate: true, note: "fraction of each step's attempts; tasks differ from step to step" },
  { title: "Reward while training", phase: "train", metric: "reward", note: "mean of each step's attempts" },
  { title: "Response length", phase: "train", metric: "response_tokens", note: "tokens, mean" },
  { title: "Cut off", phase: "train", metric: "truncated", rate: true, note: "fraction of attempts that the token limit ended" },
  { title: "Entropy", phase: "train", metric: "entropy", note: "of the next-token distribution, in nats; near 0 the policy explores no more" },
  { title: "Learned from", phase: "train", metric: "learned_fraction", rate: true, note: "fraction of attempts with a signal" },
  { title: "Divergence from the teacher", phase: "train", metric: "divergence", note: "per token, in nats" },
];

class Charts {
  constructor(summary) {
    this.summary = summary;
    this.shown = new Set(summary.curves.keys());
    this.figures = [];
    this.observer = new IntersectionObserver((entries) => {
      for (const entry of entries) if (entry.isIntersecting) this.see(entry.target);
    }, { rootMargin: "300px" });
    this.addCurveChoice();
    this.addPanels();
  }

  /** Plotly is unpacked with the first figure. Its text runs, as the policy knows its hash. */
  static plotly() {
    Charts.loading ??= unpackText("data-plotly").then((code) => {
      document.head.append(element("script", {}, code));
      return window.Plotly;
    });
    return Charts.loading;
  }

  addCurveChoice() {
    const choice = document.getElementById("shown-curves");
    this.bands = true;
    choice.append(element("label", { class: "check last" }, element("input", { type: "checkbox", checked: true, change: ({ target }) => {
      this.bands = target.checked;
      this.redraw();
    } }), "confidence bands"));
    if (this.summary.curves.length < 2) return;
    this.summary.curves.forEach((curve, i) => {
      const box = element("input", { type: "checkbox", checked: true, change: () => {
        box.checked ? this.shown.add(i) : this.shown.delete(i);
        this.redraw();
      } });
      choice.append(element("label", { class: "check" }, box, swatch(i, curve.label)));
    });
  }

  addPanels() {
    const { series, curves } = this.summary;
    const passes = Object.keys(series.evaluation).filter((name) => name.startsWith("pass@"));
    const panels = [...PANELS];
    panels.splice(1, 0, ...passes.map((name) => (
      { title: `${name} in evaluations`, phase: "evaluation", metric: name, rate: true, note: `fraction of tasks solved in ${name.slice(5)} attempts` })));
    for (const panel of panels) {
      const found = series[panel.phase][panel.metric];
      const values = (metric) => JSON.stringify(series.train[metric]?.map((each) => each?.values));
      const repeats = panel.metric === "reward" && values("reward") === values("success_rate");
      if (found && !repeats) this.addMetric(panel);
    }
    this.addChosenMetric();
    curves.forEach((curve, i) => {
      const { steps, shares } = this.summary.outcomes[i];
      if (steps.length) this.addStack("What came of the attempts", i, steps, shares, true, "fraction of each step's attempts, by the first kind of their feedback");
    });
    curves.forEach((curve, i) => {
      const parts = Object.entries(this.summary.times[i]);
      if (!parts.length) return;
      const seconds = Object.fromEntries(parts.map(([name, part]) => [name, part.mean]));
      this.addStack("Where the time went", i, parts[0][1].steps, seconds, false, shareOfTime(seconds));
    });
  }

  /** A panel whose metric is chosen by the reader. */
  addChosenMetric() {
    const select = element("select", { "aria-label": "Metric" });
    for (const [phase, metrics] of Object.entries(this.summary.series)) {
      const group = element("optgroup", { label: phase });
      for (const name of Object.keys(metrics)) group.append(element("option", { value: `${phase} ${name}` }, name));
      if (group.children.length) select.append(group);
    }
    if (!select.options.length) return;
    select.value = [...select.options].some((option) => option.value === "train loss") ? "train loss" : select.value;
    const panel = {};
    const choose = () => Object.assign(panel, { phase: select.value.split(" ", 1)[0], metric: select.value.slice(select.value.indexOf(" ") + 1) });
    choose();
    const figure = this.addMetric({ title: "Any metric", note: select, panel });
    select.addEventListener("change", () => { choose(); this.draw(figure); });
  }

  addMetric({ title, note, panel, ...own }) {
    const about = panel ?? own;
    return this.add(title, note, {
      traces: () => this.metricTraces(about),
      layout: () => ({ yaxis: { ...axis(), range: about.rate ? [-0.02, 1.02] : this.range(about) } }),
      label: () => this.curvesShown().map(([curve, i]) => describe(curve.label, this.summary.series[about.phase][about.metric][i])).join("; "),
      numbers: () => this.metricNumbers(title, about),
    });
  }

  addStack(title, curve, steps, parts, fractions, note) {
    const { label } = this.summary.curves[curve];
    const several = this.summary.curves.length > 1;
    const names = Object.keys(parts);
    const figure = this.add(title, note, {
      curve,
      traces: () => names.map((name, k) => ({
        x: steps, y: parts[name], name: plain(name), type: "bar", marker: { color: colour(stackColour(name, k)), line: { width: 0 } },
        hovertemplate: fractions ? "%{y:.0%}" : "%{y:.1f} s",
      })),
      layout: () => ({
        barmode: "stack", bargap: steps.length > 40 ? 0 : 0.12, showlegend: true,
        legend: { orientation: "h", y: -0.28, traceorder: "normal", itemclick: false, itemdoubleclick: false },
        margin: { l: 54, r: 12, t: 8, b: 84 },
        yaxis: { ...axis(), automargin: false, ...(fractions ? { range: [0, 1], tickformat: ".0%" } : { ticksuffix: " s" }) },
      }),
      label: () => `${label}: ${names.map((name) => `${name} from ${number(parts[name][0])} to ${number(parts[name].at(-1))}`).join(", ")}`,
      numbers: () => table(`${title}, ${label}`, ["step", ...names], steps.map((step, i) => [number(step), ...names.map((name) => number(parts[name][i]))])),
    });
    if (several) figure.caption.append(swatch(curve, label));
  }

  add(title, note, figure) {
    figure.plot = element("div", { class: "plot", role: "img" });
    figure.caption = element("figcaption", {}, element("h3", {}, title), element("p", { class: "hint" }, note));
    const numbers = element("details", { toggle: () => {
      if (numbers.open && numbers.children.length === 1) numbers.append(figure.numbers());
    } }, element("summary", {}, "Numbers"));
    figure.details = numbers;
    figure.whole = element("figure", {}, figure.caption, figure.plot, numbers);
    document.getElementById("panels").append(figure.whole);
    this.figures.push(figure);
    this.observer.observe(figure.plot);
    return figure;
  }

  see(plot) {
    const figure = this.figures.find((each) => each.plot === plot);
    if (!figure.seen) {
      figure.seen = true;
      this.draw(figure);
    }
  }

  redraw() {
    for (const figure of this.figures) {
      figure.whole.hidden = figure.curve != null && !this.shown.has(figure.curve);
      if (figure.seen) this.draw(figure);
    }
  }

  async draw(figure) {
    figure.plot.setAttribute("aria-label", figure.label() || "nothing is shown");
    if (figure.details.children.length > 1) figure.details.lastChild.replaceWith(figure.numbers());
    const plotly = await Charts.plotly();
    const layout = {
      height: 260, margin: { l: 46, r: 12, t: 8, b: 40 }, paper_bgcolor: "transparent", plot_bgcolor: "transparent",
      font: { color: colour("muted"), family: getComputedStyle(document.body).fontFamily, size: 12 },
      hovermode: "x unified", dragmode: false, showlegend: false,
      hoverlabel: { bgcolor: colour("raised"), bordercolor: colour("line"), font: { color: colour("text") } },
      xaxis: { ...axis(), title: { text: "step", standoff: 6 }, rangemode: "tozero" },
      ...figure.layout(),
    };
    const traces = figure.traces();
    if (largest(traces.flatMap((trace) => trace.x)) <= 8) layout.xaxis.dtick = 1; // no half steps
    await plotly.react(figure.plot, traces, layout, { displayModeBar: false, responsive: true });
  }

  curvesShown() {
    return this.summary.curves.map((curve, i) => [curve, i]).filter(([, i]) => this.shown.has(i));
  }

  metricTraces({ phase, metric }) {
    return this.curvesShown().flatMap(([curve, i]) => {
      const found = this.summary.series[phase][metric][i];
      if (!found) return [];
      const line = colour(`series-${i % SERIES}`);
      const dash = ["solid", "dash", "dot", "dashdot"][Math.floor(i / SERIES) % 4];
      const known = [...found.steps.keys()].filter((k) => found.low[k] != null);
      const band = this.bands && known.length ? [{
        x: [...known, ...known.toReversed()].map((k) => found.steps[k]),
        y: [...known.map((k) => found.low[k]), ...known.toReversed().map((k) => found.high[k])],
        type: "scatter", fill: "toself", fillcolor: line.replace("rgb(", "rgba(").replace(")", ", 0.16)"), line: { width: 0 }, hoverinfo: "skip", mode: "lines",
      }] : [];
      const several = found.values[0].length > 1;
      const each = several ? found.values[0].map((_, run) => ({
        x: found.steps, y: found.values.map((values) => values[run]), type: "scatter", mode: "lines", hoverinfo: "skip", opacity: 0.45,
        line: { color: line, dash, width: 1 },
      })) : [];
      return [...band, ...each, {
        x: found.steps, y: found.mean, name: plain(curve.label), type: "scatter", mode: found.steps.length < 16 ? "lines+markers" : "lines",
        line: { color: line, dash, width: 2 }, marker: { size: 6 },
        customdata: found.steps.map((_, k) => (found.low[k] == null ? "" : ` [${number(found.low[k])}, ${number(found.high[k])}]`)),
        hovertemplate: "%{y:.4g}%{customdata}",
      }];
    });
  }

  /** That of the runs' values, with some room: bands of few runs may go far beyond it. */
  range({ phase, metric }) {
    const values = this.curvesShown().flatMap(([, i]) => this.summary.series[phase][metric][i]?.values.flat() ?? []).filter((value) => value != null);
    const [low, high] = [values.reduce((a, b) => Math.min(a, b), 0), largest(values)];
    const room = 0.08 * (high - low || 1);
    return values.length ? [low - (low < 0 ? room : 0.02 * (high - low)), high + room] : [0, 1];
  }

  metricNumbers(title, { phase, metric }) {
    const rows = this.curvesShown().flatMap(([curve, i]) => {
      const found = this.summary.series[phase][metric][i];
      return found ? found.steps.map((step, k) => [curve.label, number(step), number(found.mean[k]), number(found.low[k]), number(found.high[k]), found.values[k].map(number).join("; ")]) : [];
    });
    return table(`${title}: ${metric}`, ["curve", "step", "mean", "band from", "to", "runs' values"], rows);
  }
}

/** Of any number of values: those of a long comparison are too many for arguments of Math.max. */
function largest(values) {
  return values.reduce((a, b) => Math.max(a, b), -Infinity);
}

function axis() {
  const line = colour("line");
  return { gridcolor: line, linecolor: line, zerolinecolor: line, fixedrange: true, automargin: true };
}

function stackColour(name, place) {
  return { solved: "good", learning: "stack-0", sampling: "stack-1", grading: "stack-2", "sampling and grading": "stack-1" }[name] ?? `stack-${place % 6}`;
}

function shareOfTime(seconds) {
  const sums = Object.entries(seconds).map(([name, values]) => [name, values.reduce((a, b) => a + b, 0)]);
  const total = sums.reduce((sum, [, each]) => sum + each, 0);
  return `seconds of each training step: ${sums.map(([name, each]) => `${name} ${Math.round((100 * each) / total)} %`).join(", ")}`;
}

function describe(label, found) {
  if (!found) return `${label}: none`;
  return `${label}: ${number(found.mean[0])} at step ${found.steps[0]}, ${number(found.mean.at(-1))} at step ${found.steps.at(-1)}`;
}

/** Plotly reads some markup in texts; this text means itself. */
function plain(text) {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}
