"use strict";
// Starts the page: theme, summary, settings.

function addSummary({ curves, runs, series }) {
  const titles = [...new Set(runs.map((run) => run.algorithm))].join(" and ");
  const { model, env } = runs[0].settings;
  const same = (name) => runs.every((run) => run.settings[name] === runs[0].settings[name]);
  const title = `${titles}${same("model") ? ` · ${model}` : ""}${same("env") ? ` on ${env}` : ""}`;
  document.getElementById("title").textContent = document.title = title;
  document.getElementById("lead").textContent = `${runs.length} ${runs.length === 1 ? "run" : "runs"}: ${runs.map((run) => run.name).join(", ")}`;

  const { evaluation } = series;
  const passes = Object.keys(evaluation).filter((name) => name.startsWith("pass@"));
  const measured = [["success_rate", "success in evaluations"], ...passes.map((name) => [name, name]), ["response_tokens", "response tokens"]].filter(([name]) => evaluation[name]);
  const headings = ["curve", "runs", "steps", ...measured.map(([, title]) => title), "minutes of training"];
  const rows = curves.map((curve, i) => {
    const members = curve.runs.map((run) => runs[run]);
    const minutes = members.reduce((sum, run) => sum + run.seconds, 0) / members.length / 60;
    return [
      swatch(i, curve.label), number(members.length), [...new Set(members.map((run) => run.steps))].join(", "),
      ...measured.map(([name]) => change(evaluation[name][i], name !== "response_tokens")), minutes.toFixed(1),
    ];
  });
  document.getElementById("summary-table").replaceChildren(table("From the first evaluation to the last that all of a curve's runs have had: before, after with its interval, change", headings, rows));
  const seeds = Math.max(...curves.map((curve) => curve.runs.length));
  document.getElementById("bands").textContent = seeds > 1
    ? "Lines are means over runs that differ in nothing but the seed; bands and brackets, their 95 % t-intervals. A curve of a single run has only the interval of its evaluations, from sampling the attempts."
    : "One run each: bands and brackets are the 95 % intervals of evaluations, from sampling the attempts. Runs that differ in nothing but the seed would share a curve.";
}

/**
 * From the first evaluation to the last one: before → after, the difference, and the interval of the latter. Both are of
 * all runs: where some have not got as far as others, the mean over the others is not to be compared with that over all.
 */
function change(found, moreIsBetter) {
  const whole = found ? [...found.steps.keys()].filter((k) => found.values[k].every((value) => value != null)) : [];
  if (!whole.length) return "–";
  const [first, last] = [whole[0], whole.at(-1)];
  const [before, after] = [found.mean[first], found.mean[last]];
  const interval = found.low[last] == null ? null : element("small", {}, ` [${number(found.low[last])}, ${number(found.high[last])}]`);
  if (first === last) return element("span", {}, number(before), interval);
  const style = moreIsBetter && before !== after ? (after > before ? "better" : "worse") : null;
  return element("span", {}, `${number(before)} → `, element("b", {}, number(after)), interval, element("span", { class: style }, ` ${signed(after - before, moreIsBetter ? 3 : 1)}`));
}

function addSettings({ curves, runs, differing }) {
  const place = document.getElementById("settings-tables");
  const firsts = curves.map((curve) => runs[curve.runs[0]]);
  if (curves.length > 1) {
    const headings = ["Setting", ...curves.map((curve, i) => swatch(i, curve.label))];
    const rows = (names) => names.map((name) => [name, ...firsts.map((run) => run.settings[name] ?? "–")]);
    const common = differing.filter((name) => firsts.every((run) => name in run.settings));
    const own = differing.filter((name) => !common.includes(name));
    if (common.length) place.append(element("h3", {}, "What differs"), table("Settings that differ between curves", headings, rows(common)));
    if (own.length) place.append(folded("Settings that not all of them have", !common.length, table("Settings that not all curves have", headings, rows(own))));
  }
  const names = [...new Set(runs.flatMap((run) => Object.keys(run.settings)))];
  const versions = [...new Set(runs.flatMap((run) => Object.keys(run.versions)))];
  place.append(
    folded("All settings of all runs", false, table("All settings", ["Setting", ...runs.map((run) => run.name)], names.map((name) => [name, ...runs.map((run) => run.settings[name] ?? "–")]))),
    folded("Versions", false, table("Versions", ["Package", ...runs.map((run) => run.name)], versions.map((name) => [name, ...runs.map((run) => run.versions[name] ?? "–")]))),
  );
}

function addTheme(charts) {
  const button = document.getElementById("theme");
  const system = matchMedia("(prefers-color-scheme: dark)");
  const remembered = () => { try { return localStorage.getItem("sdpo-gym-theme"); } catch { return null; } };
  const show = (theme) => {
    if (theme) document.documentElement.dataset.theme = theme;
    const dark = theme ? theme === "dark" : system.matches;
    button.setAttribute("aria-pressed", String(dark));
    charts.redraw();
  };
  button.addEventListener("click", () => {
    const theme = button.getAttribute("aria-pressed") === "true" ? "light" : "dark";
    try { localStorage.setItem("sdpo-gym-theme", theme); } catch { /* a page without storage forgets */ }
    show(theme);
  });
  system.addEventListener("change", () => show(document.documentElement.dataset.theme));
  show(remembered());
}

async function start() {
  const summary = await unpack("data-summary");
  addSummary(summary);
  addSettings(summary);
  addTheme(new Charts(summary));
  await new Rollouts(summary, await unpack("data-table")).start();
  document.body.dataset.ready = "true";
}

start().catch((error) => {
  const place = document.getElementById("failure");
  const cause = window.DecompressionStream ? "" : " It needs a browser of 2024 or newer.";
  place.textContent = `This page could not be drawn (${error.message}).${cause}`;
  place.hidden = false;
  throw error;
});
