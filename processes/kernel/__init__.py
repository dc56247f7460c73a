"""Values every package shares: money, working time, phone numbers, and the columns that keep them."""
