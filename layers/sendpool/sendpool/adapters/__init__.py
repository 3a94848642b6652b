"""What talks to the outside: Twilio, DynamoDB, SQS, S3, SSM. Each is handed in; the domain knows none."""
