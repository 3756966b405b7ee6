"""Migration files written by the project: ``db revision``, ``db merge``, ``db stats``."""
