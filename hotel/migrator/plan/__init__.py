"""What each step of a plan does, and what it meets: tables, rows, locks, and what hangs on them."""
