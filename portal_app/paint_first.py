"""A step after the build: what a page looks like comes before what it does.

The style sheet stands in the page itself, and scripts are asked for at its end instead of its beginning: there they
would take the line, the server and the processor from it.
"""

import re
from pathlib import Path

_STYLES = re.compile(r'<link href="/(assets/[^"]+\.css)" rel="stylesheet" type="text/css"/>')
_AHEAD = re.compile(r'<link rel="modulepreload" href="[^"]+"/>')
_ENTRY = re.compile(r'import\("(/assets/[^"]+)"\);</script>')
_END = "</body>"


def paint_first(client: Path) -> None:
    """Change all pages of a build."""
    for page in client.rglob("*.html"):
        page.write_text(_painted_first(page.read_text(), client))
        # The compressed copies hold the old text; pages are compressed when their brand is written into them.
        for ending in (".html.gz", ".html.br"):
            page.with_suffix(ending).unlink(missing_ok=True)


def _painted_first(html: str, client: Path) -> str:
    styles, entry = _STYLES.search(html), _ENTRY.search(html)
    if not styles or not entry or html.count(_END) != 1:
        raise SystemExit("The build has changed its shape: styles and start of a page were not found in it.")
    # React looks for its own link, which need not be loaded.
    within = f'<style>{(client / styles[1]).read_text()}</style>{styles[0][:-2]} disabled=""/>'
    html = html.replace(styles[0], within)
    # A page that its scripts make has nothing to show before.
    if "<main" not in html:
        return html
    # The largest script, which would be asked for after all others have come.
    last = f'<link rel="modulepreload" fetchpriority="low" href="{entry[1]}"/>'
    return _AHEAD.sub("", html).replace(_END, last + _END)
