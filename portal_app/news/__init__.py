"""What is new: posts, and which of them a person has read."""
