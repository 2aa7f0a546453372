"""The provider's own work: partners, operators."""
