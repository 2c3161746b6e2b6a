/* A form made of a JSON Schema: what is stated can be changed or left out, what is not can be added. */

import { live } from "./vendor/lit-html/directives/live.js";
import { html, nothing } from "./vendor/lit-html/lit-html.js";

const LONGEST_LIST = 24;

/** ``edit(steps, value)`` is called with what a field became; undefined: it is stated no more. */
export function formOf(schema, problems, edit) {
  const resolved = (node) => {
    const found = node.$ref ? { ...schema.$defs[node.$ref.split("/").pop()], ...without(node, "$ref") } : node;
    const choices = (found.anyOf || []).filter((choice) => choice.type !== "null");
    return choices.length === 1 ? resolved({ ...without(found, "anyOf"), ...choices[0] }) : found;
  };
  const isPath = (node) => (node.anyOf || []).some((choice) => /\/ValuePath$/.test(choice.$ref || ""));

  function object(node, value, steps) {
    const required = new Set(node.required || []);
    const fields = Object.entries(node.properties);
    const stated = fields.filter(([name]) => name in value || required.has(name));
    const absent = fields.filter(([name]) => !(name in value || required.has(name)));
    const add = (event) => {
      const { value: name } = event.target.parentElement.querySelector("select");
      edit([...steps, name], begun(node.properties[name]));
    };
    return html`${stated.map(([name, field]) => part(name, field, value[name], [...steps, name], !required.has(name)))}
      ${absent.length ? html`<div class="add"><select aria-label="What to add to ${words(steps)}">
          ${absent.map(([name, field]) => html`<option value=${name} title=${plain(resolved(field).description)}>${
            titled(name)}</option>`)}</select>
        ${button(`Add it to ${words(steps)}`, "Add", add)}</div>` : nothing}`;
  }

  function part(name, field, value, steps, optional) {
    const node = resolved(field);
    const remove = optional ? button(`Remove ${words(steps)}`, "Remove", () => edit(steps, undefined)) : nothing;
    if (node.type === "array" && (value === undefined || value.every((item) => typeof item === "object"))
        && resolved(node.items).properties) {
      return group(steps, `${titled(name)} (${(value || []).length})`, node, html`
        ${(value || []).map((item, place) => group([...steps, place], named(item, place), null, html`
          ${object(resolved(node.items), item, [...steps, place])}
          ${button(`Remove ${words([...steps, place])}`, "Remove this one", () => edit([...steps, place], undefined))}`))}
        ${button(`Add one to ${words(steps)}`, "Add one", () => edit([...steps, (value || []).length], begun(node.items)))}
        ${remove}`);
    }
    if (node.properties && !isPath(node)) {
      return group(steps, titled(name), node, html`${object(node, value || {}, steps)}${remove}`);
    }
    return single(name, node, value, steps, remove);
  }

  function group(steps, title, node, content) {
    const path = pathOf(steps);
    const wrong = [...problems.keys()].some((other) => other.startsWith(path));
    return html`<details class="group" ?open=${wrong || nothing}><summary>${title}${
      wrong ? html` <strong class="failed">to correct</strong>` : nothing}</summary>
      ${node && node.description ? html`<p class="muted">${plain(node.description)}</p>` : nothing}${
      told(steps)}${content}</details>`;
  }

  function told(steps) {
    const text = problems.get(pathOf(steps));
    return text ? html`<span class="failed" id="wrong-${pathOf(steps)}">${text}</span>` : nothing;
  }

  function single(name, node, value, steps, remove) {
    const path = pathOf(steps);
    const change = (read) => (event) => edit(steps, read(event.target));
    const wrong = problems.has(path);
    const describes = `hint-${path}${wrong ? ` wrong-${path}` : ""}`;
    let control;
    if (node.enum) {
      control = html`<select id=${path} aria-describedby=${describes} @change=${change((field) => field.value)}>
        ${node.enum.map((choice) => html`<option ?selected=${choice === value}>${choice}</option>`)}</select>`;
    } else if (node.type === "boolean") {
      control = html`<input id=${path} type="checkbox" aria-describedby=${describes} .checked=${live(value === true)}
        @change=${change((field) => field.checked)}>`;
    } else if ((node.type === "number" || node.type === "integer" || isPath(node)) && typeof value !== "object") {
      const range = node.anyOf ? node.anyOf[0] : node;
      control = html`<input id=${path} type="number" step="any" min=${range.minimum ?? nothing}
        max=${range.maximum ?? nothing} aria-describedby=${describes} aria-invalid=${wrong}
        .value=${live(String(value ?? ""))}
        @change=${change((field) => (field.value === "" ? null : field.valueAsNumber))}>`;
    } else if (node.type === "string") {
      control = html`<input id=${path} type="text" aria-describedby=${describes} aria-invalid=${wrong}
        .value=${live(value ?? "")} @change=${change((field) => field.value)}>`;
    } else if (Array.isArray(value) && value.length > LONGEST_LIST) {
      control = html`<output id=${path}>${value.length.toLocaleString("en")} values; change them as text</output>`;
    } else {
      control = html`<textarea id=${path} rows="2" spellcheck="false" aria-describedby=${describes} aria-invalid=${wrong}
        .value=${live(JSON.stringify(value ?? null))}
        @change=${change((field) => read(field.value))}></textarea>`;
    }
    const unit = node["x-unit"] && node["x-unit"] !== "1" ? `, ${node["x-unit"]}` : "";
    return html`<div class="field"><label for=${path}>${titled(name)}${unit}</label>${control}
      <span class="muted" id="hint-${path}">${plain(node.description)}</span>${told(steps)}${remove}</div>`;
  }

  /** What a statement begins with: its default, or what must be there, empty. */
  function begun(field) {
    const node = resolved(field);
    if (node.default !== undefined && node.default !== null && !Array.isArray(node.default)) {
      return node.default;
    }
    if (isPath(node) || node.type === "number" || node.type === "integer") {
      return null;
    }
    if (node.properties) {
      return Object.fromEntries((node.required || []).map((name) => [name, begun(node.properties[name])]));
    }
    if (node.type === "array") {
      return resolved(node.items).properties ? [begun(node.items)] : [];
    }
    return node.enum ? node.enum[0] : node.type === "boolean" ? false : "";
  }

  return (value) => object(schema, value, []);
}

/** A copy of ``data`` with what is at the end of the steps replaced, or taken out where it is undefined. */
export function edited(data, [step, ...rest], value) {
  const copy = Array.isArray(data) ? [...data] : { ...data };
  if (rest.length) {
    copy[step] = edited(copy[step] ?? (typeof rest[0] === "number" ? [] : {}), rest, value);
  } else if (value !== undefined) {
    copy[step] = value;
  } else if (Array.isArray(copy)) {
    copy.splice(step, 1);
  } else {
    delete copy[step];
  }
  return copy;
}

function button(label, text, act) {
  return html`<button type="button" class="small" aria-label=${label} @click=${act}>${text}</button>`;
}

function read(text) {
  try {
    return JSON.parse(text);
  } catch {
    return text;  // what it should be, the server tells with its path
  }
}

function pathOf(steps) {
  return steps.reduce((path, step) => (typeof step === "number" ? `${path}[${step}]` : path ? `${path}.${step}` : step), "");
}

function named(item, place) {
  return String(item.name || item.site || item.factor || item.from_month || item.asic_model || `No. ${place + 1}`);
}

function titled(name) {
  const text = name.replaceAll("_", " ");
  return text[0].toUpperCase() + text.slice(1);
}

function words(steps) {
  return steps.length ? pathOf(steps) : "the portfolio";
}

function plain(text) {
  return (text || "").replaceAll("``", "");
}

function without(value, name) {
  const { [name]: _, ...rest } = value;
  return rest;
}
