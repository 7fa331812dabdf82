"""What people say that pictures show, looked through by a person: `make feedback`."""
