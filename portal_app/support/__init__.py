"""Help: articles by topic, full-text search, ways to reach the provider."""
