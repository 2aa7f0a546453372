"""White-label: the brand as the settings say it."""
