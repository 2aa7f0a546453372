"""An empty Reflex app: what the same stack takes before it does anything."""
