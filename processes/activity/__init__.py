"""What was said to customers, and when they are spoken to next."""
