/* One plan: watched while it is searched for, then read. */

import { download, get, post, results } from "./api.js";
import { drawnCharts, progressFigures } from "./charts.js";
import { incumbentTables } from "./incumbent.js";
import { questionsOf } from "./questions.js";
import { unsafeHTML } from "./vendor/lit-html/directives/unsafe-html.js";
import { html, nothing } from "./vendor/lit-html/lit-html.js";
import { STATES, musd, percent, seconds, stageOf } from "./words.js";

const FILES = [
  ["report.html", "Report", "one page for a board"], ["workbook.xlsx", "Workbook", "portfolio and plan"],
  ["plan.json", "Plan", "every number"],
];

export function openPlan(shell, id, beside) {
  const address = `/console/plans/${id}`;
  const calls = `/v1/plans/${id}`;
  const listening = new AbortController();
  const charts = drawnCharts(() => (record && record.ended ? figuresOf(paper) : progressFigures(seen)));
  const seen = [];
  let record = null;
  let portfolio = null;
  let paper = null;
  let questions = null;

  async function load() {
    record = await get(address);
    portfolio = (await get(`/console/${record.portfolio}`)).portfolio;
    if (!record.ended) {
      shell.draw();
      await watch();
      record = await get(address);
      shell.tell(`The plan of ${portfolio.name} is ${STATES[record.state]}.`);
    }
    if (record.plan !== null) {
      paper = await get(`${address}/sections`);
      questions = record.plan.npv === null ? null : questionsOf(shell, record, portfolio, beside);
    }
  }

  async function watch() {
    for await (const { progress } of results(`${calls}:watch`, listening.signal)) {
      if (!progress) {
        continue; // a heartbeat, or the end
      }
      const data = { ...progress, stage: stageOf(progress.stage) };
      const before = seen.at(-1);
      seen.push(data);
      if (!before || before.incumbent_usd !== data.incumbent_usd) {
        shell.tell(data.incumbent_usd === undefined ? `Stage: ${data.stage}` : `Best plan ${musd(data.incumbent_usd)}`);
      }
      shell.draw();
    }
  }

  function end(how) {
    shell.attempt(async () => {
      await post(`${calls}:${how}`);
      shell.tell(how === "stop" ? "The search ends with the best plan so far." : "The plan is discarded.");
    });
  }

  function watched() {
    const last = Object.assign({ stage: "queued", elapsed_s: 0 }, record.progress, ...seen);
    const better = seen.filter((item, place) => item.incumbent_usd !== undefined
      && item.incumbent_usd !== (seen[place - 1] || {}).incumbent_usd);
    const row = (item) => html`<tr><td class="n">${seconds(item.elapsed_s)}</td><td class="n">${
      musd(item.incumbent_usd)}</td><td class="n">${musd(item.bound_usd)}</td><td class="n">${
      percent(item.gap_frac)}</td></tr>`;
    return html`<p class="eyebrow">${STATES[last.stage === "queued" ? "queued" : "running"]}</p><h1>${portfolio.name}</h1>
      <dl class="key-figures">
        <div><dt>Stage</dt><dd>${last.stage}</dd><dd>${seconds(last.elapsed_s)}</dd></div>
        <div><dt>Best plan</dt><dd>${musd(last.incumbent_usd)}</dd></div>
        <div><dt>No plan is worth more than</dt><dd>${musd(last.bound_usd)}</dd></div>
        <div><dt>Gap</dt><dd>${percent(last.gap_frac)}</dd><dd>of ${percent(record.options.gap_frac)} asked for</dd></div>
      </dl>
      <p class="row">
        <button class="primary" @click=${() => end("stop")}>Stop and keep the best</button>
        <button @click=${() => end("cancel")}>Discard</button></p>
      <figure><h3>Best plan and bound</h3>
        <div class="chart" id="chart-progress" role="img" aria-label="Best plan and bound over time; the table has them"></div>
      </figure>
      <div class="table" tabindex="0" role="region" aria-label="Better plans">
        <table><caption>Better plans, as they were found</caption><thead><tr><th scope="col" class="n">after</th>
        <th scope="col" class="n">worth</th><th scope="col" class="n">bound</th><th scope="col" class="n">gap</th></tr></thead>
        <tbody>${better.length ? better.map(row) : html`<tr><td colspan="4">none yet</td></tr>`}</tbody></table></div>
      ${incumbentTables(seen.findLast((item) => item.incumbent)?.incumbent)}`;
  }

  function read() {
    const file = ([name, title, what]) => html`<li><button @click=${() => shell.attempt(() => download(`${address}/${name}`))}>
      ${title}</button> <span class="muted">${what}</span></li>`;
    const section = (part) => html`<section id="${part.slug}" aria-labelledby="${part.slug}-title">
      <h2 id="${part.slug}-title">${part.title}</h2>${unsafeHTML(part.html)}</section>`;
    return html`<p class="eyebrow">Plan of <a href="#/${record.portfolio}">${portfolio.name}</a></p>
      ${paper.alarm ? html`<div class="alarm" role="alert"><strong>${paper.alarm[0]}</strong><p>${paper.alarm[1]}</p></div>`
        : nothing}
      <h1>${paper.headline}</h1><p class="lead">${paper.recommendation}</p>
      <ul class="files" aria-label="Downloads">${FILES.map(file)}</ul>
      ${questions === null ? nothing : questions()}
      ${paper.sections.map(section)}`;
  }

  function template() {
    if (record === null || portfolio === null) {
      return html`<h1>Plan</h1><p>Looking …</p>`;
    }
    if (!record.ended) {
      return watched();
    }
    if (paper !== null) {
      return read();
    }
    return html`<p class="eyebrow">${STATES[record.state]}</p><h1>${portfolio.name}</h1>
      <p>${record.error ? record.error.message : "Reading …"}</p>
      <p><a class="button" href="#/${record.portfolio}">Open the assumptions</a></p>`;
  }

  function close() {
    listening.abort();
    charts.end();
  }

  queueMicrotask(() => shell.attempt(load));
  return { title: "Plan", template, drawn: charts.draw, close };
}

function figuresOf(paper) {
  return paper === null ? [] : paper.sections.flatMap((part) => part.figures);
}
