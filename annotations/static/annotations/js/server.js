/** Talks to the API: JSON out, JSON or a named error back. */

import { Refused, SignedOut } from "./outbox.js";

const FOR_GOOD = new Set([400, 404, 409, 413, 415, 422]);
const TIMEOUT_MS = 20_000;

export class Server {
  constructor({ api, csrfToken, fetch }) {
    Object.assign(this, { api, csrfToken, fetch });
  }

  async post(path, body) {
    const response = await this.fetch(this.api + path, {
      method: "POST",
      headers: { "Content-Type": "application/json", "X-CSRFToken": this.csrfToken() },
      body: JSON.stringify(body),
      credentials: "same-origin",
      redirect: "manual",
      signal: AbortSignal.timeout(TIMEOUT_MS),
    });
    if (response.ok) return response.json();
    if (response.status === 401 || response.status === 403 || response.type === "opaqueredirect") {
      throw new SignedOut("You have been signed out.");
    }
    const said = await response.json().catch(() => ({}));
    const detail = typeof said.detail === "string" ? said.detail : `The server answered ${response.status}.`;
    throw FOR_GOOD.has(response.status) ? new Refused(detail) : new Error(detail);
  }
}

/** The token that Django set as a cookie: read anew each time, since signing in changes it. */
export function csrfCookie(document, name = "csrftoken") {
  const pair = document.cookie.split("; ").find((each) => each.startsWith(`${name}=`));
  return pair ? decodeURIComponent(pair.slice(name.length + 1)) : "";
}
