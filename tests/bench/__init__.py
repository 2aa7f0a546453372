"""The bench: the portal against a plain server-rendered page over the same tables, in a real browser."""
