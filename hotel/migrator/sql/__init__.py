"""SQL that is read, and values that are quoted."""
