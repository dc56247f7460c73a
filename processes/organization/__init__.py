"""Departments, positions, employees; who answers for whom."""
