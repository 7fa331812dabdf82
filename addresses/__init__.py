"""What stands in front of page and service alike: who is asked (Host), and under which prefix."""
