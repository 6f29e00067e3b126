"""Links that install a server with one click, for a page that anybody reads.

They hold no path of this machine: `uvx dealdesk` fetches the package. One function makes
them all, so that the pages and the command cannot disagree.
"""

import base64
import json
from typing import Any
from urllib.parse import quote

from dealdesk.connect.entries import by_command, entry_name
from servers.registry import ABOUT


def portable(server: str, profile: str) -> tuple[str, list[str]]:
    return "uvx", ["dealdesk", "serve", server, "--profile", profile]


def links(client: str, server: str, profile: str) -> dict[str, str]:
    """Return a client's links for a server, by the place they are for; none if it has none."""
    command, words = portable(server, profile)
    name = entry_name(server)
    entry = by_command(None, server, command, words)
    if client == "vscode":
        link = "vscode:mcp/install?" + quote(_compact({"name": name, **entry}), safe="")
        web = "https://insiders.vscode.dev/redirect?url=" + quote(link, safe="")
        return {"app": link, "web": web}
    if client == "cursor":
        config = quote(base64.b64encode(_compact(entry).encode()).decode(), safe="")
        return {
            "app": f"cursor://anysphere.cursor-deeplink/mcp/install?name={name}&config={config}"
        }
    if client == "goose":
        arguments = "".join(f"&arg={quote(word, safe='')}" for word in words)
        about = quote(ABOUT[server], safe="")
        return {
            "app": f"goose://extension?cmd={command}{arguments}"
            f"&id={name}&name={name}&description={about}"
        }
    return {}


def _compact(value: Any) -> str:
    return json.dumps(value, separators=(",", ":"))
