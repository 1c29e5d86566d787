/** Puts the parts of the workbench together and gives them the page's inputs. */

import { AfterFrame } from "./after-frame.js";
import { Attention } from "./attention.js";
import { ClassPicker } from "./class-picker.js";
import { Clock, FrameMeter } from "./clock.js";
import { Inputs } from "./inputs.js";
import { DatabaseStore, MemoryStore, Outbox } from "./outbox.js";
import { ObjectFocus } from "./object-focus.js";
import { Presentation } from "./presentation.js";
import { Protocol } from "./protocol.js";
import { Prefetch, ShownMemory } from "./queue/prefetch.js";
import { Recorder } from "./recorder.js";
import { Server, csrfCookie } from "./server.js";
import { SightInputs } from "./sight-inputs.js";
import { Sight } from "./sight.js";
import { View } from "./view.js";
import { Workbench } from "./workbench.js";

const root = document.getElementById("workbench");
const config = JSON.parse(document.getElementById("workbench-config").textContent);

function makeImage() {
  const image = new Image();
  // In the frame in which it is placed, and not some frames later.
  image.decoding = "sync";
  image.draggable = false;
  return image;
}

async function openStore() {
  try {
    return await new DatabaseStore(indexedDB, config.scope).open();
  } catch {
    return new MemoryStore();
  }
}

function sittingOf(clock) {
  const pointer = matchMedia("(pointer: coarse)").matches ? "coarse" : "fine";
  return {
    key: crypto.randomUUID(),
    // Isolated from other origins, Chromium dates paints exactly; otherwise they are rounded up to 4 ms.
    clock: { ...clock.facts(), isolated: window.crossOriginIsolated === true },
    screen: { width: innerWidth, height: innerHeight, pixel_ratio: devicePixelRatio, pointer },
  };
}

/** Hold the right to label in one tab only; `lost` is called when another tab takes it. */
function takeTab({ steal, lost }) {
  if (!navigator.locks) return Promise.resolve(true);
  return new Promise((decided) => {
    const held = (lock) => {
      decided(Boolean(lock));
      return lock ? new Promise(() => {}) : undefined;
    };
    const options = steal ? { steal: true } : { ifAvailable: true };
    navigator.locks.request(`hardness-label-${config.scope}`, options, held).catch(lost);
  });
}

const clock = new Clock(performance);
const frames = new FrameMeter((step) => requestAnimationFrame(step));
const memory = new ShownMemory(localStorage, `hardness-shown-${config.scope}`);
const later = new AfterFrame(window);
const afterFrame = (work) => later.do(work);
const view = new View(root, config, afterFrame);
const attention = new Attention({ document, window, clock, idleMs: config.idleMs });
const presentation = new Presentation({ stage: view.part("picture"), clock, window });
const sight = new Sight({
  stage: view.part("stage"), frame: view.part("frame"), picture: view.part("picture"),
  onChange: (now) => sightInputs.draw(now),
});
const sightInputs = new SightInputs({ root, sight });
const prefetch = new Prefetch({ makeImage, makeRecorder: () => new Recorder(clock), memory });
const server = new Server({ api: config.api, csrfToken: () => csrfCookie(document), fetch: fetch.bind(window) });
const outbox = new Outbox({
  store: await openStore(),
  send: (entry) => workbench.supply.deliver(entry),
  onReply: (reply, entry) => workbench.supply.delivered(reply, entry),
  onRefused: (error) => view.refused(error),
  onState: (state) => {
    view.deliveries(state);
    if (state.waiting === 0) queueMicrotask(() => workbench.emptied());
  },
  setTimer: setTimeout.bind(window),
  clearTimer: clearTimeout.bind(window),
  afterFrame,
});
/** Drawing comes only with projects in which boxes are drawn. */
async function makeDrawing() {
  if (!config.draws) return null;
  const [{ Surface }, { Drawing }] = await Promise.all([import("./boxes/surface.js"), import("./boxes/drawing.js")]);
  const stage = view.part("stage");
  const surface = new Surface({
    library: window.Annotorious, stage, clock, ResizeObserver, adopt: (event) => sightInputs.pointerDown(event, true),
  });
  return new Drawing({ classes: config.classes, clock, surface, view, storage: sessionStorage, seen: () => surface.seen(sight.place) });
}

const drawing = await makeDrawing();
const focus = new ObjectFocus({ root, sight, stage: view.part("stage"), button: root.querySelector('[data-action="object-focus"]') });
const workbench = new Workbench({
  config, sitting: sittingOf(clock), clock, frames, prefetch, presentation, attention, memory, outbox, server, view,
  makeKey: () => crypto.randomUUID(), sight, drawing, focus, afterFrame,
  makeProtocol: (outOfTime) =>
    new Protocol({ ...config.protocol, clock, window, outOfTime, stage: view.part("picture"), frameMs: () => frames.median() }),
});

if (drawing) drawing.workbench = workbench;

const begin = () => {
  attention.start();
  const dialog = view.part("classes");
  const choose = (code, event) => {
    const t = clock.stamp(event);
    return drawing?.isOpen ? drawing.classify(code, t, "search") : workbench.answer(code, t, "search");
  };
  const picker = dialog && new ClassPicker({ dialog, classes: config.classes, choose });
  new Inputs({ root, workbench, clock, classes: config.classes, sightInputs, picker }).listen();
  sightInputs.listen();
  window.addEventListener("online", () => outbox.deliver());
  frames.watch(31);
  return workbench.start();
};

const lost = () => workbench.stop();
const isWanted = location.hash === "#here";
if (isWanted) history.replaceState(null, "", location.pathname);
if (await takeTab({ steal: isWanted, lost })) await begin();
else {
  view.elsewhere();
  root.querySelector('[data-action="here"]').addEventListener("click", async () => {
    await takeTab({ steal: true, lost });
    await begin();
  }, { once: true });
}
