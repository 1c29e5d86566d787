// Sends the files of a form and shows how far they are. Without this module the browser sends the form itself.

const MEBIBYTE = 2 ** 20;

/** Words for so many of so many bytes. */
export function sentInWords(sent, total) {
  const size = (bytes) => (bytes / MEBIBYTE).toFixed(bytes < 10 * MEBIBYTE ? 1 : 0);
  return sent < total ? `${size(sent)} of ${size(total)} MiB sent` : "Everything is sent; the site is storing it.";
}

/** Why these files cannot be sent at once, or "". */
export function problemWith(files, maxFiles, nothing = "Choose a zip archive or image files first.") {
  if (!files.length) return nothing;
  if (maxFiles && files.length > maxFiles) {
    return `${files.length} files; ${maxFiles} is the most at once. Put them into a zip archive.`;
  }
  return "";
}

function send(form, { onProgress }) {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest(); // fetch cannot say how much was sent
    request.open("POST", form.action);
    request.setRequestHeader("Accept", "application/json");
    request.responseType = "json";
    request.upload.addEventListener("progress", (event) => onProgress(event.loaded, event.total));
    request.addEventListener("load", () => resolve({ status: request.status, reply: request.response }));
    request.addEventListener("error", () => reject(new Error("The connection broke. Nothing was imported: try again.")));
    request.send(new FormData(form));
  });
}

export function wireUpload(form) {
  const shown = form.querySelector("[data-upload-progress]");
  const bar = shown.querySelector("progress");
  const words = shown.querySelector("[role=status]");
  const problem = form.querySelector("[data-upload-problem]");
  const button = form.querySelector("button:not([type=button])");
  const input = form.querySelector("input[type=file]");

  const refuse = (text) => {
    problem.textContent = text;
    problem.hidden = !text;
    shown.hidden = true;
    button.disabled = false;
  };
  const leaving = (event) => event.preventDefault();

  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const reason = problemWith(input.files, Number(form.dataset.maxFiles), form.dataset.nothingChosen);
    refuse(reason);
    if (reason) return;
    button.disabled = true;
    shown.hidden = false;
    addEventListener("beforeunload", leaving);
    try {
      const { status, reply } = await send(form, {
        onProgress(sent, total) {
          bar.value = total ? sent / total : 0;
          words.textContent = sentInWords(sent, total);
        },
      });
      removeEventListener("beforeunload", leaving);
      if (status === 200 && reply?.next) location.assign(reply.next);
      else refuse(reply?.problems?.join(" ") ?? `The site refused the files (status ${status}). Are they too large?`);
    } catch (error) {
      removeEventListener("beforeunload", leaving);
      refuse(error.message);
    }
  });
}

if (typeof document !== "undefined") {
  const form = document.querySelector("[data-upload]");
  if (form) wireUpload(form);
}
