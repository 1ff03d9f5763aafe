"""What risk knows about orders, cash and shares; plain Python."""
