"""Word files (.docx): a paper described as data in, bytes out."""

from connectors.word.paper import Block, Cell, Column, Facts, Heading, Paper, Paragraph, Picture, Table
from connectors.word.writer import write

__all__ = ["Block", "Cell", "Column", "Facts", "Heading", "Paper", "Paragraph", "Picture", "Table", "write"]
