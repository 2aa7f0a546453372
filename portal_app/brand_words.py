"""Where the built pages leave room for what the brand says: they are built once, for all brands."""

import json

# The file that `lean_pages` gives the build: in the browser the page's own words, in the built page their places.
SCRIPT = "utils/brand.js"
PLACES = {word: f"__BRAND_{word.upper()}__" for word in ("name", "product", "support", "privacy", "terms", "security")}
SOURCE = f"export const brand = globalThis.brand ?? {json.dumps(PLACES)};\n"
