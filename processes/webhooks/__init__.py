"""What other systems are told as it happens, and what they may tell us: webhooks out and in, robots of group chats."""
