/* Assumptions: chosen, edited, checked and planned. */

import { get, post } from "./api.js";
import { live } from "./vendor/lit-html/directives/live.js";
import { html, nothing } from "./vendor/lit-html/lit-html.js";
import { idOf } from "./words.js";

export function openPortfolio(shell, id) {
  let examples = [];
  let text = "";
  let options = { time_limit_s: 300, gap_frac: 0.001 };

  async function load() {
    if (id) {
      take((await get(`/v1/portfolios/${id}`)).portfolio);
    } else {
      examples = (await get("/v1/examples")).examples;
    }
  }

  function take(portfolio) {
    text = JSON.stringify(portfolio, null, 2);
  }

  function choose(event) {
    const name = event.target.value;
    if (name) {
      shell.attempt(async () => {
        take((await get(`/v1/examples/${name}`)).portfolio);
        shell.tell(`${name} is loaded.`);
      });
    }
  }

  async function check() {
    await post("/v1/portfolios", { portfolio: JSON.parse(text), validate_only: true });
    shell.tell("The assumptions are well-formed.");
  }

  async function plan() {
    const stored = await post("/v1/portfolios", { portfolio: JSON.parse(text) });
    location.hash = `#/plans/${idOf((await post("/v1/plans", { portfolio: stored.name, options })).name)}`;
  }

  function submit(event) {
    event.preventDefault();
    shell.attempt(plan);
  }

  function template() {
    const option = (name, label, step) => html`<label class="field"><span>${label}</span>
      <input type="number" min="0" step=${step} required .value=${live(String(options[name]))}
        @input=${(event) => { options = { ...options, [name]: event.target.valueAsNumber }; }}></label>`;
    return html`<h1>${id ? "Assumptions" : "New plan"}</h1>
      <form @submit=${submit}>
      ${id ? nothing : html`<label class="field"><span>Begin with an example</span>
        <select name="example" @change=${choose}><option value="">choose …</option>
          ${examples.map((name) => html`<option>${name}</option>`)}</select></label>`}
      <label class="field wide"><span>Portfolio</span>
        <textarea name="text" rows="24" spellcheck="false" required .value=${live(text)}
          @input=${(event) => { text = event.target.value; }}></textarea></label>
      <div class="row">${option("time_limit_s", "Time limit, s", "any")}${option("gap_frac", "Gap to prove", "any")}</div>
      <div class="row"><button class="primary">Plan</button>
        <button type="button" @click=${() => shell.attempt(check)}>Check</button></div></form>`;
  }

  queueMicrotask(() => shell.attempt(load));
  return { title: id ? "Assumptions" : "New plan", template };
}
