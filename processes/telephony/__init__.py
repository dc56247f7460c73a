"""The telephone: calls that come and go, the agents who take them, what they note."""
