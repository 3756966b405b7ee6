"""One run at a time, short waits for locks, and sessions set as they must be."""
