"""What people are told in the house: one line per person and event, and the roads each of them has chosen."""
