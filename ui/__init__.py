"""What people use: the page, the window, and the HTTP client behind both."""
