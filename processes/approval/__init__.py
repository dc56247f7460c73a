"""What every approval shares: reminding and escalating what is overdue."""
