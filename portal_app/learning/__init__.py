"""The Learning Hub: courses on the portal, how far a person is in them, and the certificate at the end."""
