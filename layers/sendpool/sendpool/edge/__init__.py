"""Where the outside meets the workflows: settings, HTTP, logs, and what is built at cold start."""
