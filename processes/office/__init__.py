"""The office: leave, and what hangs on who is away."""
