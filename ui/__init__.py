"""The user interfaces: the page, the window, and the HTTP client that both use."""
