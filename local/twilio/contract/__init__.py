"""The contract: requests and answers held against Twilio's own OpenAPI documents (data/openapi)."""
