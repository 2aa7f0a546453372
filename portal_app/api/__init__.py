"""The HTTP API: the same services behind /api/v1."""
