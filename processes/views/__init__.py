"""Questions to lists that people keep under a name: their own, their department's, everybody's."""
