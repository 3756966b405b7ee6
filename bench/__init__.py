"""Measurements that anyone can repeat; see ``make bench``."""
