"""Articles, news, texts for selling, courses: Markdown of a folder, and of operators laid over it."""
