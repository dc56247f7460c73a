"""The process engine: runs BPMN diagrams durably; knows no business and no web."""
