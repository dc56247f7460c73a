"""What the records say together: how customers come and go, how they stand and move on."""
