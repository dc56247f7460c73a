"""Money before it is spent: expense requests, and the budgets they reserve."""
