"""Several server processes, with Redis."""
