"""How Reflex serves it: as the portal is served."""

import reflex as rx

config = rx.Config(app_name="bare", telemetry_enabled=False, disable_plugins=[rx.plugins.SitemapPlugin])
