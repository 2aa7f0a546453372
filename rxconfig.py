"""How Reflex builds and serves the portal. Everything that people set is in portal_app/settings.py."""

import reflex as rx

from portal_app.lean_pages import LeanPages
from portal_app.settings import settings

_redis = settings().redis_url

config = rx.Config(
    app_name="portal_app",
    telemetry_enabled=False,
    show_built_with_reflex=False,
    # Plain elements on our own style sheet: Radix Themes would cost 160 kB and 150 ms of the first load.
    plugins=[LeanPages()],
    disable_plugins=[rx.plugins.SitemapPlugin],
    react_strict_mode=False,
    # One origin serves all; the build's address is replaced by the page's own (portal_app/build.py).
    api_url="http://localhost:3000",
    cors_allowed_origins=list(settings().origins) or ["http://localhost"],
    frontend_compression_formats=["brotli", "gzip"],
    redis_url=_redis or None,
    # In milliseconds; renewed while an event goes on (portal_app/shell/tab_states.py).
    redis_lock_expiration=5_000,
    # In memory: session cookies would lie in Reflex's state files on disk.
    state_manager_mode="redis" if _redis else "memory",
)
