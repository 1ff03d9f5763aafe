"""What every service stands on; knows no domain and imports no service."""
