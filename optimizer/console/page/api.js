/* Calls of the JSON API. The token is kept for this tab, and sent with every call; there are no cookies. */

const TOKEN = "optimizer-token";

/** What the server said was wrong: a status, a message, and for wrong input each problem with path and fix. */
export class ApiError extends Error {
  constructor({ status, message, details }) {
    super(message);
    this.status = status;
    this.problems = (details || []).flatMap((detail) => detail.field_violations || []).map(problemOf);
  }
}

function problemOf({ field, description }) {
  const [message, fix] = description.split("\n");
  return { path: field || "", message, fix: fix || "" };
}

export function keepToken(token) {
  sessionStorage.setItem(TOKEN, token);
}

export function get(path, signal) {
  return answered("GET", path, undefined, signal).then((response) => response.json());
}

export function post(path, body = {}, signal = undefined) {
  return answered("POST", path, body, signal).then((response) => response.json());
}

/** What a call that streams answers, one after the other, until it ends or is aborted. */
export async function* results(path, signal) {
  const response = await answered("GET", path, undefined, signal);
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  let waiting = "";
  for (;;) {
    const { done, value } = await reader.read();
    if (done) {
      return;
    }
    const whole = (waiting + value).split("\n");
    waiting = whole.pop();
    for (const { result, error } of whole.map((line) => JSON.parse(line))) {
      if (error) {
        throw new ApiError(error);
      }
      yield result;
    }
  }
}

/** Saves a file under the name that the server gives it. */
export async function download(path) {
  const response = await answered("GET", path);
  const named = /filename="([^"]+)"/.exec(response.headers.get("content-disposition") || "");
  const link = document.createElement("a");
  link.href = URL.createObjectURL(await response.blob());
  link.download = named ? named[1] : "plan";
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}

async function answered(method, path, body, signal) {
  const headers = {};
  const token = sessionStorage.getItem(TOKEN);
  if (token) {
    headers.Authorization = `Bearer ${token}`;
  }
  if (body !== undefined) {
    headers["Content-Type"] = "application/json";
  }
  const request = { method, headers, signal, body: body === undefined ? undefined : JSON.stringify(body) };
  const response = await fetch(path, request).catch((error) => {
    if (error.name === "AbortError") {
      throw error;
    }
    throw new ApiError({ status: "UNAVAILABLE", message: "The server does not answer. Is it running?" });
  });
  if (!response.ok) {
    const unknown = { status: "UNKNOWN", message: `The server answered with ${response.status}.` };
    throw new ApiError((await response.json().catch(() => ({}))).error || unknown);
  }
  return response;
}
