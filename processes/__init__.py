"""The business, one package per noun; stands on the engine, below every page."""
