"""A step after the build: what a page looks like comes before what it does.

The style sheet stands in the page itself. Scripts are asked for when the page is painted: before, they would take the
line, the server and the processor from it.
"""

import json
import re
from pathlib import Path

_STYLES = re.compile(r'<link href="/(assets/[^"]+\.css)" rel="stylesheet" type="text/css"/>')
_AHEAD = re.compile(r'<link rel="modulepreload" href="([^"]+)"/>')
_START = re.compile(
    r'<script type="module" async="">import "([^"]+)";\s*((?:import \* as \w+ from "[^"]+";\s*)+)'
    r'window\.__reactRouterRouteModules = \{([^}]*)\};\s*import\("([^"]+)"\);</script>'
)
# As the script does that stands there, with all files asked for at once.
_BEGIN = """<script type="module" async="">%s
const ask = (href) => Object.assign(document.createElement("link"), { rel: "modulepreload", href });
document.head.append(...%s.map(ask));
const [, ...parts] = await Promise.all(%s.map((file) => import(file)));
window.__reactRouterRouteModules = Object.fromEntries(%s.map((name, at) => [name, parts[at]]));
import("%s");</script>"""
# A page that nobody sees is not painted, and is not waited for; one that its scripts make has nothing to show before.
_WHEN_PAINTED = "await new Promise((go) => { requestAnimationFrame(() => setTimeout(go)); setTimeout(go, 1000); });"


def paint_first(client: Path) -> None:
    """Change all pages of a build."""
    for page in client.rglob("*.html"):
        page.write_text(_painted_first(page.read_text(), client))
        # The compressed copies hold the old text; pages are compressed when their brand is written into them.
        for ending in (".html.gz", ".html.br"):
            page.with_suffix(ending).unlink(missing_ok=True)


def _painted_first(html: str, client: Path) -> str:
    styles, start = _STYLES.search(html), _START.search(html)
    if not styles or not start:
        raise SystemExit("The build has changed its shape: styles and start of a page were not found in it.")
    manifest, imports, names, entry = start.groups()
    files = [manifest, *re.findall(r'from "([^"]+)"', imports)]
    wait = _WHEN_PAINTED if "<main" in html else ""
    lists = (json.dumps(one) for one in (_AHEAD.findall(html), files, re.findall(r'"([^"]+)":', names)))
    # React looks for its own link, which need not be loaded.
    within = f'<style>{(client / styles[1]).read_text()}</style>{styles[0][:-2]} disabled=""/>'
    html = html.replace(start[0], _BEGIN % (wait, *lists, entry)).replace(styles[0], within)
    return _AHEAD.sub("", html)
