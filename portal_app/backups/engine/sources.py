"""All that a form needs of sources: their fields, a checked source of what was typed, a look into it."""

from portal_app.backups.engine.reading import check
from portal_app.backups.engine.source_values import FIELDS, LABELS, Source, SourceField, parse, seal, unseal

__all__ = ["FIELDS", "LABELS", "Source", "SourceField", "check", "parse", "seal", "unseal"]
