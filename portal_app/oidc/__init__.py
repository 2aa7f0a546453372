"""Signing in with Microsoft and Google by OpenID Connect."""
