/* What can be asked of a plan: what if, how it differs from another, and why an offer is in it or not. */

import { get, post } from "./api.js";
import { numberPaths } from "./paths.js";
import { html, nothing } from "./vendor/lit-html/lit-html.js";
import { idOf, musd, time } from "./words.js";

const BASELINES = { "mine-on": "mining on, signing nothing", "sign-everything-now": "signing everything now" };

/** The panels of a plan; ``beside`` is another plan to compare it with at first. */
export function questionsOf(shell, record, portfolio, beside) {
  const panels = [whatIf(shell, record, portfolio), comparison(shell, record, beside), reason(shell, record, portfolio)];
  return () => html`<section id="questions" aria-labelledby="questions-title"><h2 id="questions-title">Questions</h2>
    ${panels.map((panel) => panel())}</section>`;
}

/** An assumption that is dragged, and planned with. */
function whatIf(shell, record, portfolio) {
  const paths = numberPaths(portfolio);
  let path = paths[0];
  let factor = 1;

  const asked = (event) => {
    event.preventDefault();
    shell.attempt(async () => {
      const stored = await post(`/console/${record.portfolio}/variants`, { scale: { [path]: factor } });
      const made = await post("/console/plans", { portfolio: stored.name, options: record.options });
      location.hash = `#/plans/${idOf(made.name)}/beside/${idOf(record.name)}`;
    });
  };
  const drag = (event) => {
    factor = event.target.valueAsNumber;
    shell.draw();
  };
  return () => html`<h3>What if</h3><form class="row" @submit=${asked}>
    <label class="field wide"><span>Assumption</span>
      <input name="path" list="paths" required autocomplete="off" spellcheck="false" value=${path}
        @change=${(event) => { path = event.target.value; }}></label>
    <datalist id="paths">${paths.map((item) => html`<option value=${item}></option>`)}</datalist>
    <label class="field"><span>times <output>${factor.toFixed(2)}</output></span>
      <input name="factor" type="range" min="0.5" max="1.5" step="0.01" value="1"
        aria-valuetext="times ${factor.toFixed(2)}" @input=${drag}></label>
    <button class="primary">Plan again</button></form>`;
}

function comparison(shell, record, beside) {
  let others = null;
  let chosen = beside ? `plans/${beside}` : "mine-on";
  let answer = null;

  async function look() {
    const plans = (await get("/console/plans")).plans;
    others = plans.filter((plan) => plan.ended && plan.error === null && plan.name !== record.name);
  }

  const asked = (event) => {
    event.preventDefault();
    shell.attempt(async () => {
      shell.tell("Comparing …");
      answer = await post("/console/comparisons",
        { plan: record.name, ...(chosen in BASELINES ? { baseline: chosen } : { other: chosen }) });
      shell.tell(answer.told);
    });
  };
  const option = (value, text) => html`<option value=${value} ?selected=${value === chosen}>${text}</option>`;
  queueMicrotask(() => shell.attempt(look));
  return () => html`<h3>Compare</h3><form class="row" @submit=${asked}>
    <label class="field wide"><span>with</span>
      <select name="other" @change=${(event) => { chosen = event.target.value; }}>
        ${Object.entries(BASELINES).map(([value, text]) => option(value, text))}
        ${(others || []).map((plan) => option(plan.name,
          `plan of ${time(plan.create_time)}, ${musd((plan.progress || {}).incumbent_usd)}`))}</select></label>
    <button>Compare</button></form>${answer === null ? nothing : compared(answer)}`;
}

function compared(answer) {
  const assumption = (row) => html`<tr><th scope="row">${row.path}</th><td>${row.value}</td><td>${row.other_value}</td></tr>`;
  return html`<p class="answer"><strong>${answer.told}</strong></p>
    ${worths("From the other plan to this one", answer.changes.map((item) => [item.told, item.npv_usd]),
      answer.difference_usd)}
    ${answer.assumptions.length ? html`<div class="table" tabindex="0" role="region" aria-label="Assumptions that differ">
      <table><caption>Assumptions that differ</caption><thead><tr><th scope="col">statement</th><th scope="col">this plan</th>
      <th scope="col">the other</th></tr></thead><tbody>${answer.assumptions.map(assumption)}</tbody></table></div>` : nothing}`;
}

function reason(shell, record, portfolio) {
  const offers = portfolio.offers || [];
  let offer = offers[0];
  let site = "";
  let answer = null;

  const asked = (event) => {
    event.preventDefault();
    const month = new FormData(event.target).get("month");
    const placement = { offer: offer.name, ...(site ? { site } : {}), ...(month ? { sign_month: month } : {}) };
    shell.attempt(async () => {
      shell.tell("Searching for the other way …");
      answer = await post("/console/explanations", { plan: record.name, placement });
      shell.tell(answer.told);
    });
  };
  const choose = (event) => {
    [offer, site] = [offers.find((item) => item.name === event.target.value), ""];
    shell.draw();
  };
  return () => (offers.length === 0 ? nothing : html`<h3>Why, or why not</h3><form class="row" @submit=${asked}>
    <label class="field"><span>Offer</span><select name="offer" @change=${choose}>
      ${offers.map((item) => html`<option>${item.name}</option>`)}</select></label>
    <label class="field"><span>at</span><select name="site" @change=${(event) => { site = event.target.value; }}>
      <option value="" ?selected=${site === ""}>any site</option>
      ${offer.sites.map((item) => html`<option ?selected=${item.site === site}>${item.site}</option>`)}</select></label>
    <label class="field"><span>signed in, as 2027-04</span>
      <input name="month" placeholder="any month" pattern="[0-9]{4}-[0-9]{2}"></label>
    <button>Ask</button></form>${answer === null ? nothing : explained(answer)}`);
}

function explained(answer) {
  const { explained: place } = answer;
  return html`<p class="answer"><strong>${answer.told}</strong></p>
    ${answer.blocked.length ? html`<ul>${answer.blocked.map((rule) => html`<li>${rule}</li>`)}</ul>` : nothing}
    ${answer.margin_usd === null ? html`<p>There is no room for any of it beside the plan's other decisions.</p>`
      : worths(`${place.offer} at ${place.site} in ${place.sign_month}, at the margin`,
        answer.reasons.map((item) => [item.told, item.worth_usd]), answer.margin_usd)}`;
}

/** What each of several things is worth, and all of them. */
function worths(caption, rows, sum) {
  return html`<div class="table" tabindex="0" role="region" aria-label=${caption}><table><caption>${caption}</caption>
    <thead><tr><th scope="col">what</th><th scope="col" class="n">worth</th></tr></thead><tbody>
    ${rows.map(([told, usd]) => html`<tr><td>${told}</td><td class="n">${musd(usd)}</td></tr>`)}
    <tr class="sum"><th scope="row">all together</th><td class="n">${musd(sum)}</td></tr></tbody></table></div>`;
}
