"""What is said of an error, and what must not be told."""
