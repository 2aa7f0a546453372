"""Settings > API: the tokens of a partner's programs."""
