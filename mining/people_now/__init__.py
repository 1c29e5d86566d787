"""What people say as of now, beside the rounds: kept up to date in the background while trials come in."""
