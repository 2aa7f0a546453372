"""What runs when, by itself."""
