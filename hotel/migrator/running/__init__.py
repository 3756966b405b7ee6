"""A plan is carried out, and what became of it is told."""
