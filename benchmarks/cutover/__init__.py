"""What a switch of sides costs the application: ours beside three that teams script themselves."""
