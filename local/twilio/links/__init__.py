"""Link shortening: domains and their certificates, shortened links, and what happens when one is clicked."""
