"""Files that are made for people who ask for them."""
