"""Makes the pictures and screen recordings of the courses from the portal itself: `make recordings`."""
