"""Whose a customer is: locks, pool, requests, handing over, unlocking; whoever watches or is shown it."""
