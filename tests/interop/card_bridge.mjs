// Shows the card with the host half of the official SDK, which checks every message by its schema.

import { AppBridge, PostMessageTransport } from "@modelcontextprotocol/ext-apps/app-bridge";

const { page, result } = JSON.parse(document.getElementById("cases").textContent);
const seen = { sizes: [], problems: [] };
const bridge = new AppBridge(null, { name: "official", version: "1" }, {}, { hostContext: { theme: "dark" } });
const frame = document.createElement("iframe");
frame.setAttribute("sandbox", "allow-scripts allow-same-origin");
document.body.append(frame);

bridge.onerror = (problem) => seen.problems.push(String(problem));
bridge.addEventListener("sizechange", (size) => seen.sizes.push(size));
bridge.addEventListener("initialized", async () => {
  seen.app = bridge.getAppVersion();
  seen.can = bridge.getAppCapabilities();
  await bridge.sendToolInput({ arguments: { quote_id: "q_1" } });
  await bridge.sendToolResult(result);
  seen.dark = frame.contentDocument.documentElement.style.colorScheme;
  bridge.setHostContext({ theme: "light" });
  seen.left = await bridge.teardownResource({});
  seen.light = frame.contentDocument.documentElement.style.colorScheme;
  seen.text = frame.contentDocument.getElementById("card").innerText;
  frame.remove();
  document.getElementById("report").textContent = JSON.stringify(seen);
});
await bridge.connect(new PostMessageTransport(frame.contentWindow, frame.contentWindow));
frame.srcdoc = page;
