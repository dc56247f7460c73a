"""Pages of customers: list, record, pool, call list; what several of them share stands in parts.py."""
