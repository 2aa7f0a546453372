"""A person's own password, second factor and sessions; and the rules for all users of a partner."""
