// Talks to the host: MCP Apps 2026-01-26, JSON-RPC 2.0 over postMessage. It asks for nothing but
// the opening handshake, and what it sends holds no word of the quote.

const PROTOCOL = "2026-01-26";
const COLOURS = [
  "--color-background-primary", "--color-background-secondary", "--color-text-primary",
  "--color-text-secondary", "--color-border-primary",
];
const PLAIN = ["--font-sans", "--font-mono"];
const context = {};

function send(message) {
  // The host's origin is not known to a sandboxed frame, so "*"; see above for what is sent.
  window.parent.postMessage({ jsonrpc: "2.0", ...message }, "*");
}

function obey(changes) {
  Object.assign(context, changes);
  const root = document.documentElement;
  if (context.theme === "light" || context.theme === "dark") root.style.colorScheme = context.theme;
  const given = (context.styles && context.styles.variables) || {};
  // A host that sets some of the colours only would mix its dark with our light: all or none.
  const whole = COLOURS.every((name) => typeof given[name] === "string");
  for (const name of [...(whole ? COLOURS : []), ...PLAIN]) {
    if (typeof given[name] === "string") root.style.setProperty(name, given[name]);
  }
  const inset = context.safeAreaInsets;
  if (inset) {
    const sides = [inset.top, inset.right, inset.bottom, inset.left];
    document.body.style.padding = sides.map((side) => `${Number(side) || 0}px`).join(" ");
  }
  if (changes.locale) speak(context.locale);
}

// Some hosts pass on the text of an answer and drop its structured half; both say the same.
function answer(result) {
  if (result.isError) return { problem: text(result) || "The tool gave no answer." };
  if (result.structuredContent) return result.structuredContent;
  try {
    return JSON.parse(text(result));
  } catch {
    return { problem: "The answer holds no quote." };
  }
}

function text(result) {
  const parts = (result.content || []).filter((part) => part.type === "text");
  return parts.map((part) => part.text).join("\n");
}

const HEARD = {
  "ui/notifications/tool-input": (params) => wait(params.arguments || {}),
  "ui/notifications/tool-result": (params) => show(answer(params)),
  "ui/notifications/tool-cancelled": () => show({ problem: "The call was cancelled." }),
  "ui/notifications/host-context-changed": (params) => {
    obey(params);
    if (params.locale) again();
  },
};
const ANSWERED = ["ping", "ui/resource-teardown"];

window.addEventListener("message", (event) => {
  const message = event.data;
  if (event.source !== window.parent || !message || message.jsonrpc !== "2.0") return;
  if (message.method === undefined) {
    if (message.id === 1) begin(message.result || {});
  } else if (message.id === undefined) {
    if (!Object.hasOwn(HEARD, message.method)) return;
    HEARD[message.method](message.params || {});
    tell(); // a frame out of sight is not laid out, so its observer would come too late
  } else if (ANSWERED.includes(message.method)) {
    send({ id: message.id, result: {} });
  } else {
    send({ id: message.id, error: { code: -32601, message: "Method not found" } });
  }
});

let told = null; // the size the host knows; null until the handshake

function tell() {
  const height = Math.ceil(document.documentElement.getBoundingClientRect().height);
  const params = { width: Math.ceil(window.innerWidth), height };
  if (told === null || told === JSON.stringify(params)) return;
  told = JSON.stringify(params);
  send({ method: "ui/notifications/size-changed", params });
}

function begin(result) {
  obey(result.hostContext || {});
  send({ method: "ui/notifications/initialized", params: {} });
  told = "";
  tell();
  new ResizeObserver(tell).observe(document.documentElement);
}

if (window.parent === window) {
  show({ problem: "This card is shown by an MCP host, inside a conversation." });
} else {
  const appInfo = { name: "dealdesk-quote-card", version: "1.0.0" };
  const appCapabilities = { availableDisplayModes: ["inline", "fullscreen"] };
  send({ id: 1, method: "ui/initialize", params: { appInfo, appCapabilities, protocolVersion: PROTOCOL } });
}
