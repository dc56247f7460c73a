"""Tables as spreadsheet programs keep them: Excel and CSV read with care, Excel written so that nothing in it runs."""
