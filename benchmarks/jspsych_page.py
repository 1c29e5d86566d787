"""Two pages of image trials, served on loopback: jsPsych's, the rival in `timing_robot.py`, and a bare one.

The bare page (`/bare?n=40`) does nothing but put the next decoded image in the place of the last one at a key, with
five decoded ahead: no page can have it on the screen sooner. It is the limit in `workbench_session.py`.

jsPsych and its plugin are as npm has them (development packages). The page adds two things that change nothing of what
they do: a mark when an image is drawn, for the trace, and a word on the body that says so, for the robot.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

MODULES = Path(__file__).resolve().parents[1] / "node_modules"
SCRIPTS = {
    "/jspsych.js": MODULES / "jspsych/dist/index.browser.min.js",
    "/plugin.js": MODULES / "@jspsych/plugin-image-keyboard-response/dist/index.browser.min.js",
}
READY = 'body[data-state="open"]'

PAGE = """<!doctype html><html lang="en"><meta charset="utf-8"><title>jsPsych</title>
<style>body { margin: 0; text-align: center; }</style><body>
<script src="/jspsych.js"></script><script src="/plugin.js"></script><script>
const wanted = new URLSearchParams(location.search);
const draw = CanvasRenderingContext2D.prototype.drawImage;
CanvasRenderingContext2D.prototype.drawImage = function (...words) {
  performance.mark("image-placed");
  document.body.dataset.state = "open";
  return draw.apply(this, words);
};
const jsPsych = initJsPsych({ on_finish: () => { document.body.dataset.state = "done"; } });
window.answers = () => jsPsych.data.get().values().map(({ rt, response }) => ({ rt, response }));
const images = Array.from({ length: Number(wanted.get("n")) }, (_, i) => `/image/${i}`);
const timeline = images.map((stimulus) => ({
  type: jsPsychImageKeyboardResponse,
  stimulus,
  choices: [..."1234567890"],
  on_start: () => { document.body.dataset.state = "waiting"; },
}));
const begin = () => jsPsych.run(timeline);
if (wanted.has("preload")) jsPsych.pluginAPI.preloadImages(images, begin);
else begin();
</script></body></html>
"""


BARE = """<!doctype html><html lang="en"><meta charset="utf-8"><title>Bare</title>
<style>body { margin: 0; } img { width: 100vw; height: 80vh; object-fit: contain; }</style><body><script type="module">
const n = Number(new URLSearchParams(location.search).get("n"));
const image = (i) => {
  const made = new Image();
  made.decoding = "sync";
  made.src = `/image/${i}`;
  return made.decode().then(() => made);
};
const ahead = Array.from({ length: 5 }, (_, i) => image(i));
let at = ahead.length;
const frame = () => new Promise(requestAnimationFrame);
async function show() {
  const next = await ahead.shift();
  document.body.dataset.state = "shown";
  document.body.replaceChildren(next);
  performance.mark("image-placed");
  await frame();
  await frame();
  if (at < n) ahead.push(image(at++)); // fetched and decoded when nothing waits for a frame
  document.body.dataset.state = "open";
}
addEventListener("keydown", (event) => !event.repeat && show());
show();
</script></body></html>
"""
PAGES = {"/": PAGE, "/bare": BARE}


def serve_jspsych(pictures: Sequence[bytes]) -> ThreadingHTTPServer:
    """Serve the pages and their images on a free port; the caller shuts the server down."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            path = self.path.split("?")[0]
            if path in SCRIPTS:
                self._send(SCRIPTS[path].read_bytes(), "text/javascript")
            elif path.startswith("/image/"):
                self._send(pictures[int(path.removeprefix("/image/"))], "image/jpeg")
            else:
                self._send(PAGES.get(path, PAGE).encode(), "text/html")

        def _send(self, body: bytes, media_type: str) -> None:
            self.send_response(200)
            self.send_header("Content-Type", media_type)
            self.send_header("Content-Length", str(len(body)))
            # As the workbench's page: isolated, so that both have the finest clock that the browser gives.
            self.send_header("Cross-Origin-Opener-Policy", "same-origin")
            self.send_header("Cross-Origin-Embedder-Policy", "require-corp")
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server
