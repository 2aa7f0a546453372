"""Settings > Account: what a partner says of itself, and what its new accounts begin with."""
