"""Our subclasses of SpiffWorkflow's task specs, one file per family of elements."""
