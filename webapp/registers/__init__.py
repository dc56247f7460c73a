"""A register of the catalogue as screens: list, record, form, export, lookup; row rights on every road."""
