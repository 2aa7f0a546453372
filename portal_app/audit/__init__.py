"""The security audit."""
