/* Calls of the JSON API. The token is kept for this tab, and sent with every call; there are no cookies. */

const TOKEN = "optimizer-token";

/** What the server said was wrong: a code, a message, and for wrong input each problem with path and fix. */
export class ApiError extends Error {
  constructor({ code, message, problems }) {
    super(message);
    this.code = code;
    this.problems = problems || [];
  }
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

/** Events of a stream as pairs of kind and data, until it ends or is aborted. */
export async function* events(path, signal) {
  const response = await answered("GET", path, undefined, signal);
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  let waiting = "";
  for (;;) {
    const { done, value } = await reader.read();
    if (done) {
      return;
    }
    const whole = (waiting + value).split("\n\n");
    waiting = whole.pop();
    for (const event of whole) {
      const [kind, data] = event.split("\n");
      yield [kind.slice("event: ".length), JSON.parse(data.slice("data: ".length))];
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
    throw new ApiError({ code: "UNAVAILABLE", message: "The server does not answer. Is it running?" });
  });
  if (!response.ok) {
    const unknown = { code: "UNKNOWN", message: `The server answered with ${response.status}.` };
    throw new ApiError((await response.json().catch(() => ({}))).error || unknown);
  }
  return response;
}
