"""`messaging.yaml`: the service, its senders, link domain, brand and campaign as a team wants them."""
