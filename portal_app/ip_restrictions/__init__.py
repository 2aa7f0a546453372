"""IP Restrictions: from which addresses a partner's people may come."""
